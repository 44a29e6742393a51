"""How long a browser may keep an answer without asking again."""

FOR_EVER = "private, max-age=31536000, immutable"  # for an address that never means anything else
ALWAYS_ASK = "no-cache"

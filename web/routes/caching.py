"""``Cache-Control`` headers of our routes."""

IMMUTABLE = "private, max-age=31536000, immutable"  # for an address whose content never changes
REVALIDATE = "no-cache"
NO_STORE = {"Cache-Control": "no-store"}

"""``Cache-Control`` headers of our routes."""

IMMUTABLE = "private, max-age=31536000, immutable"  # for an address whose content never changes
PUBLIC = "public, max-age=31536000, immutable"  # the same for everybody: caches on the way may keep it too
REVALIDATE = "no-cache"
NO_STORE = {"Cache-Control": "no-store"}

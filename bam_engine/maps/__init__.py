"""The collection as a map to explore: layouts, tiles, regions, print."""

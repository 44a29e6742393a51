"""The collection as a list to browse: queries, filters, order, search, selections, saved views."""

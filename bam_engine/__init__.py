"""From a pile of unlabelled images to a dataset people can trust."""

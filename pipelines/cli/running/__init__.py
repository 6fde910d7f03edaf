"""What ``sagedag run`` does: the request, what it names, one run of it, running it again."""

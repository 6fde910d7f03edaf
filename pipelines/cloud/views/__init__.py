"""Plans for people: on a terminal and in a pull request."""

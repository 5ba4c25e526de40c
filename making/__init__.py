"""What makes the shipped graphs, their thumbnails and the help pages, and checks that they fit the nodes."""

"""What results are measured by: the classifier, distances to the truth, pairs whose truth is known."""

"""What has become of a data set, and what two of them share."""

"""What a run leaves behind: report.json (the authority), results.json, gradebook.csv."""

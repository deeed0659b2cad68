"""What a trained model must be, apart from accurate; judged on the grader's side."""

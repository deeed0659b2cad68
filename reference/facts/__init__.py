"""What a trained model must be like besides accurate; judged on the grader's side."""

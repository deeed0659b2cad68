"""Grades that go to a platform over its network interface, change by change."""

"""A company's own driver of its label printer: Python around a C library that nobody else knows."""

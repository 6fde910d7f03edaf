"""What the images of Model Monitor and Clarify calculate; runs inside a job.

The runner copies this package beside the job: it imports the standard library, numpy and pandas
alone, and nothing of the runner.
"""

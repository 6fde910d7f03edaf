"""The model server that runs inside a job: what AWS's serving images do, without the image.

The runner copies this folder beside the job and starts it there with the job's own interpreter,
where this project is not installed: it imports the standard library, itself, and the libraries of
the model.
"""

"""What AWS's own data files know: API shapes, images, instance types. Read offline."""

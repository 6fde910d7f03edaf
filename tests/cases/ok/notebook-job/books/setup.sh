pip install --quiet matplotlib

def preprocess_handler(record):
    return record.endpoint_input.data.rstrip("\n")

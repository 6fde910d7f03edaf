def postprocess_handler():
    print("checked")

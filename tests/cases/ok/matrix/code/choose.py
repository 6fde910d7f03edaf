print("choose")

settings = {"port": 80}
host = settings["host"]

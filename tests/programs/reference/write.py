with open("/tmp/test", "w") as file:
    file.write(TEXT)

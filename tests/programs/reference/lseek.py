with open("/tmp/test", "w") as file:
    file.seek(10)
    file.write(TEXT)

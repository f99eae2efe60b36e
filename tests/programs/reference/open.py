with open("/tmp/test", "r+") as rw_file:
    read_str = rw_file.read(42)
print(read_str)

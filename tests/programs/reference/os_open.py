import os
fd = os.open("/tmp/test", os.O_WRONLY | os.O_CREAT)

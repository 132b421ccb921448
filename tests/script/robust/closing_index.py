# An __index__ or __eq__ that closes, detaches or shrinks what the method works on.
import array, io

class Index:
    def __init__(self, act): self.act = act
    def __index__(self): self.act(); return 1

class Equal:
    def __init__(self, act): self.act = act
    def __eq__(self, other): self.act(); return True

def show(work):
    try: print(work())
    except Exception: print('refused')    # CPython raises a SystemError for some of them

for make in io.BufferedReader, io.BufferedWriter, io.BufferedRandom:
    stream = make(io.BytesIO(b'abc'))
    show(lambda: stream.seek(Index(stream.detach)))
data = io.BytesIO(b'abc')
show(lambda: data.truncate(Index(data.close)))
numbers = array.array('i', [5])
show(lambda: numbers.remove(Equal(lambda: numbers and numbers.pop())))
print(numbers)

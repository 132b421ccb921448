from _second import b

a = 1

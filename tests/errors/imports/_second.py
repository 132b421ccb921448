from _first import a

b = 2

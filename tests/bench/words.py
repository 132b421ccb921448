# A dict of words: counting, grouping, looking up, dropping; keys that are str, int and tuple.
import time

N = 200_000


def text_of(n):
    seed, words = 42, []
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) % 2147483648
        words.append('w' + str(seed % 5000))
    return words


def count(words):
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return len(counts)


def count_by_membership(words):
    counts = {}
    for word in words:
        if word in counts:
            counts[word] += 1
        else:
            counts[word] = 1
    return len(counts)


def group(words):
    groups = {}
    for word in words:
        groups.setdefault(word[:3], []).append(word)
    return sum(len(group) for group in groups.values())


def pairs(words):
    seen = {}
    for i, word in enumerate(words):
        seen[word, i & 7] = i
    return sum(1 for (word, low), i in seen.items() if i & 7 == low)


def numbers(words):
    table = {}
    for i in range(len(words)):
        table[i * 7] = i
    total = 0
    for i in range(len(words)):
        total += table.pop(i * 7)
    return total


words = text_of(N)
for function in (count, count_by_membership, group, pairs, numbers):
    times = []
    for _ in range(3):
        start = time.perf_counter()
        assert function(words) > 0
        times.append(time.perf_counter() - start)
    print('RESULT', 'words_' + function.__name__, min(times) * 1e9 / N, 'ns/word')

start = time.perf_counter()
joined = ' '.join(words)
assert len(joined.split()) == N
print('RESULT words_join_split', (time.perf_counter() - start) * 1e9 / N, 'ns/word')

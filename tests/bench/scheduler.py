# A simulated operating system in the manner of the Richards benchmark (M. Richards, 1980): tasks that pass packets through queues,
# run by priority. Short methods, attributes, polymorphic calls.
import time

IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = range(6)
DEVICE, WORK = 0, 1
BUFFER = 4


class Packet:
    def __init__(self, link, ident, kind):
        self.link = link
        self.ident = ident
        self.kind = kind
        self.datum = 0
        self.data = [0] * BUFFER

    def append_to(self, queue):
        self.link = None
        if queue is None:
            return self
        last = queue
        while last.link is not None:
            last = last.link
        last.link = self
        return queue


class Task:
    def __init__(self, system, ident, priority, queue):
        self.system = system
        self.ident = ident
        self.priority = priority
        self.queue = queue
        self.held = False
        self.waiting = queue is None
        system.add(self)

    def is_stopped(self):
        return self.held or (self.waiting and self.queue is None)

    def take(self):
        packet = self.queue
        if packet is not None:
            self.queue = packet.link
        return packet

    def receive(self, packet, sender):
        was_empty = self.queue is None
        self.queue = packet.append_to(self.queue)
        if was_empty:
            self.waiting = False
            if self.priority > sender.priority:
                return self
        return sender

    def run(self):
        packet = self.take() if self.queue is not None else None
        self.waiting = False
        return self.step(packet)

    def wait(self):
        self.waiting = True
        return self


class Idle(Task):
    def __init__(self, system, count):
        super().__init__(system, IDLE, 0, None)
        self.waiting = False
        self.control = 1
        self.count = count

    def step(self, packet):
        self.count -= 1
        if self.count == 0:
            return self.system.hold(self)
        if self.control & 1 == 0:
            self.control >>= 1
            return self.system.release(DEVICE_A, self)
        self.control = (self.control >> 1) ^ 0xD008
        return self.system.release(DEVICE_B, self)


class Worker(Task):
    def __init__(self, system, queue):
        super().__init__(system, WORKER, 1000, queue)
        self.destination = HANDLER_A
        self.letter = 0

    def step(self, packet):
        if packet is None:
            return self.wait()
        self.destination = HANDLER_B if self.destination == HANDLER_A else HANDLER_A
        packet.ident = self.destination
        packet.datum = 0
        for i in range(BUFFER):
            self.letter = self.letter + 1 if self.letter < 26 else 1
            packet.data[i] = 64 + self.letter
        return self.system.send(packet, self)


class Handler(Task):
    def __init__(self, system, ident, queue):
        super().__init__(system, ident, ident * 1000, queue)
        self.work = None
        self.devices = None

    def step(self, packet):
        if packet is not None:
            if packet.kind == WORK:
                self.work = packet.append_to(self.work)
            else:
                self.devices = packet.append_to(self.devices)
        work = self.work
        if work is None:
            return self.wait()
        if work.datum >= BUFFER:
            self.work = work.link
            return self.system.send(work, self)
        device = self.devices
        if device is None:
            return self.wait()
        self.devices = device.link
        device.datum = work.data[work.datum]
        work.datum += 1
        return self.system.send(device, self)


class Device(Task):
    def __init__(self, system, ident):
        super().__init__(system, ident, ident * 1000, None)
        self.pending = None

    def step(self, packet):
        if packet is None:
            packet = self.pending
            if packet is None:
                return self.wait()
            self.pending = None
            return self.system.send(packet, self)
        self.pending = packet
        return self.system.hold(self)


class System:
    def __init__(self):
        self.tasks = [None] * 6
        self.order = []
        self.sent = 0
        self.holds = 0

    def add(self, task):
        self.tasks[task.ident] = task
        self.order.insert(0, task)

    def next_after(self, task):
        at = self.order.index(task) + 1
        return self.order[at] if at < len(self.order) else None

    def send(self, packet, sender):
        receiver = self.tasks[packet.ident]
        self.sent += 1
        packet.link = None
        packet.ident = sender.ident
        return receiver.receive(packet, sender)

    def hold(self, task):
        self.holds += 1
        task.held = True
        return self.next_after(task)

    def release(self, ident, sender):
        task = self.tasks[ident]
        task.held = False
        return task if task.priority > sender.priority else sender

    def schedule(self):
        task = self.order[0]
        while task is not None:
            task = self.next_after(task) if task.is_stopped() else task.run()


def packets(count, ident, kind):
    queue = None
    for _ in range(count):
        queue = Packet(queue, ident, kind)
    return queue


def run(turns):
    system = System()
    Idle(system, turns)
    Worker(system, packets(2, WORKER, WORK))
    Handler(system, HANDLER_A, packets(3, DEVICE_A, DEVICE))
    Handler(system, HANDLER_B, packets(3, DEVICE_B, DEVICE))
    Device(system, DEVICE_A)
    Device(system, DEVICE_B)
    system.schedule()
    return system


TURNS = 10_000
start = time.perf_counter()
system = run(TURNS)
elapsed = time.perf_counter() - start
assert system.sent > TURNS and system.holds > TURNS / 2, (system.sent, system.holds)
print('RESULT scheduler', elapsed * 1e9 / TURNS, 'ns/turn')

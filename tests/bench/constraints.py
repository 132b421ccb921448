# One-way constraints in the manner of the DeltaBlue benchmark (Freeman-Benson and Maloney, 1989): a chain of equalities and a set of
# scaled variables, planned by strength and executed. Inheritance, lists of objects, polymorphic methods.
import time

REQUIRED, STRONG, NORMAL, WEAK = range(4)


class Variable:
    def __init__(self, name, value=0):
        self.name = name
        self.value = value
        self.constraints = []
        self.determined_by = None
        self.strength = WEAK
        self.mark = 0


class Constraint:
    def __init__(self, strength):
        self.strength = strength
        self.satisfied = False

    def add(self, planner):
        for variable in self.variables():
            variable.constraints.append(self)
        planner.satisfy(self)

    def remove(self, planner):
        for variable in self.variables():
            variable.constraints.remove(self)
        output = self.output()
        if output is not None and output.determined_by is self:
            output.determined_by = None
            output.strength = WEAK
        self.satisfied = False


class Unary(Constraint):
    def __init__(self, variable, strength):
        super().__init__(strength)
        self.variable = variable

    def variables(self):
        return [self.variable]

    def inputs(self):
        return []

    def output(self):
        return self.variable

    def choose(self, mark):
        self.satisfied = self.variable.mark != mark and self.strength <= self.variable.strength
        return self.satisfied


class Stay(Unary):
    def execute(self):
        pass


class Edit(Unary):
    def execute(self):
        pass


class Binary(Constraint):
    def __init__(self, left, right, strength):
        super().__init__(strength)
        self.left = left
        self.right = right
        self.forward = True

    def variables(self):
        return [self.left, self.right]

    def inputs(self):
        return [self.left] if self.forward else [self.right]

    def output(self):
        return self.right if self.forward else self.left

    def choose(self, mark):
        left, right = self.left, self.right
        if right.mark != mark and self.strength <= right.strength and left.strength <= right.strength:
            self.forward = self.satisfied = True
        elif left.mark != mark and self.strength <= left.strength:
            self.forward = False
            self.satisfied = True
        else:
            self.satisfied = False
        return self.satisfied


class Equal(Binary):
    def execute(self):
        if self.forward:
            self.right.value = self.left.value
        else:
            self.left.value = self.right.value


class Scale(Binary):
    def __init__(self, source, factor, offset, target, strength):
        super().__init__(source, target, strength)
        self.factor = factor
        self.offset = offset

    def execute(self):
        if self.forward:
            self.right.value = self.left.value * self.factor.value + self.offset.value
        else:
            self.left.value = (self.right.value - self.offset.value) // self.factor.value


class Planner:
    def __init__(self):
        self.mark = 0

    def satisfy(self, constraint):
        self.mark += 1
        waiting = [constraint]
        while waiting:
            constraint = waiting.pop()
            if not constraint.choose(self.mark):
                continue
            for variable in constraint.inputs():
                variable.mark = self.mark
            output = constraint.output()
            overridden = output.determined_by
            output.determined_by = constraint
            output.strength = max([constraint.strength] + [v.strength for v in constraint.inputs()])
            output.mark = self.mark
            if overridden is not None and overridden is not constraint:
                overridden.satisfied = False
            constraint.execute()
            waiting += [c for c in output.constraints if not c.satisfied and c is not constraint]

    def plan_from(self, constraint):
        self.mark += 1
        plan = []
        waiting = [constraint]
        while waiting:
            constraint = waiting.pop()
            output = constraint.output()
            if output.mark == self.mark:
                continue
            plan.append(constraint)
            output.mark = self.mark
            waiting += [c for c in output.constraints if c.satisfied and c.output() is not output]
        return plan


def chain(length):
    planner = Planner()
    variables = [Variable(f'v{i}') for i in range(length + 1)]
    for left, right in zip(variables, variables[1:]):
        Equal(left, right, REQUIRED).add(planner)
    edit = Edit(variables[0], STRONG)
    edit.add(planner)
    plan = planner.plan_from(edit)
    for value in range(60):
        variables[0].value = value
        for constraint in plan:
            constraint.execute()
        assert variables[-1].value == value, (variables[-1].value, value)
    edit.remove(planner)


def projection(count):
    planner = Planner()
    factor, offset = Variable('factor', 10), Variable('offset', 1000)
    targets = []
    for i in range(count):
        source, target = Variable('source', i), Variable('target', 0)
        targets.append(target)
        Stay(source, NORMAL).add(planner)
        Scale(source, factor, offset, target, REQUIRED).add(planner)
        assert target.value == i * 10 + 1000
    assert sum(t.value for t in targets) == sum(i * 10 + 1000 for i in range(count))


start = time.perf_counter()
for _ in range(3):
    chain(1000)
    projection(3000)
print('RESULT constraints', (time.perf_counter() - start) * 1e3 / 3, 'ms/turn')

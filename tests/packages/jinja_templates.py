# jinja2, with errors and async templates.
import os

import jinja2
env = jinja2.Environment(loader=jinja2.DictLoader({'base': '<{% block b %}x{% endblock %}>', 'child': '{% extends "base" %}{% block b %}{{ super() }}{% for i in items if i %}{{ loop.index }}:{{ i|upper|e }}{% else %}none{% endfor %}{% endblock %}'}), autoescape=True, enable_async=False)
print(env.get_template('child').render(items=['a<', '', 'b']))
print(env.from_string('{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }} {{ [3,1,2]|sort|join(",") }} {{ "%.2f"|format(3.14159) }} {{ {"a": 1}|tojson }} {% set x = 5 %}{{ x ** 2 }} {{ "a,b".split(",") | list }}').render())
try:
    env.from_string('{% if %}')
except jinja2.TemplateSyntaxError as e:
    print(e, e.lineno)
try:
    env.from_string('\n{{ 1/0 }}').render()
except ZeroDivisionError:
    import traceback
    text = traceback.format_exc().replace(jinja2.__file__.rsplit('/', 2)[0], '')
    print(text.replace(os.path.abspath(__file__), 'FILE').replace(__file__, 'FILE'))


import asyncio
aenv = jinja2.Environment(enable_async=True)


async def agen():
    for i in range(3):
        yield i


print(asyncio.run(aenv.from_string('{% for i in g() %}{{ i }},{% endfor %}').render_async(g=agen)))

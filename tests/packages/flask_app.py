# flask with werkzeug, jinja2 and itsdangerous.
import flask, logging
app = flask.Flask('app')
app.secret_key = 'k'


@app.route('/')
def index():
    return 'hello ' + flask.request.args.get('n', '?')


@app.route('/j/<int:x>', methods=['GET', 'POST'])
def j(x):
    flask.session['x'] = x
    return flask.jsonify(x=x, body=flask.request.get_json(silent=True), method=flask.request.method)


@app.route('/t')
def t():
    return flask.render_template_string('<b>{{ session.x }}</b>{{ url_for("j", x=3) }}')


@app.errorhandler(404)
def nf(e):
    return (f'nf {e.code}', 404)


@app.route('/boom')
def boom():
    raise ValueError('x')


c = app.test_client()
logging.disable()
print(c.get('/?n=5').data, c.get('/j/4').json, c.post('/j/5', json={'a': [1]}).json, c.get('/t').data, c.get('/none').status, c.get('/j/x').data, c.get('/boom').status_code)

# SQLAlchemy on sqlite3.
import sqlalchemy as sa
from sqlalchemy.orm import declarative_base, relationship, Session
Base = declarative_base()


class User(Base):
    __tablename__ = 'users'
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String(30), unique=True)
    posts = relationship('Post', back_populates='user', order_by='Post.id')


class Post(Base):
    __tablename__ = 'posts'
    id = sa.Column(sa.Integer, primary_key=True)
    title = sa.Column(sa.Text)
    user_id = sa.Column(sa.ForeignKey('users.id'))
    user = relationship('User', back_populates='posts')


e = sa.create_engine('sqlite://')
Base.metadata.create_all(e)
with Session(e) as s:
    s.add_all([User(name='a', posts=[Post(title='t1'), Post(title='t2')]), User(name='b')])
    s.commit()
    print([(u.name, [p.title for p in u.posts]) for u in s.query(User).order_by(User.name)])
    print(s.query(User.name, sa.func.count(Post.id)).outerjoin(Post).group_by(User.name).order_by(User.name).all())
    print(str(sa.select(User).where(User.name.in_(['a', 'b']), User.id > 0)))
    try:
        s.add(User(name='a'))
        s.commit()
    except sa.exc.IntegrityError as x:
        print(type(x).__name__, x.orig)
        s.rollback()

"""Shared by the programs here: a database of the program's own on the services that tests/systems/services.py has started."""
import os
import subprocess


def postgres(kind="postgresql"):
    """The URL of a new database with a table stock (id, amount), rows 1 to 9; kind: what the driver wants before the colon."""
    server = "postgresql://postgres@%s/" % os.environ["SYSTEMS_POSTGRES"]
    name = "of_%d" % os.getpid()
    run = ["psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1"]
    subprocess.run([*run, server, "--command=create database %s" % name], check=True)
    subprocess.run([*run, server + name, "--command=create table stock as select id, 5 as amount from generate_series(1, 9) as id"], check=True)
    return "%s://postgres@%s/%s" % (kind, os.environ["SYSTEMS_POSTGRES"], name)


def redis():
    """The URL of a database that nobody else uses."""
    return "redis://%s/%d" % (os.environ["SYSTEMS_REDIS"], os.getpid() % 1000)

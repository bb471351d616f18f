import os, sys, subprocess, json, shutil
from pathlib import Path
sys.path.insert(0,"/tmp/w/service")
from fleetform import emulator
from fleetform.terraform import installation
from fleetform.terraform.plan import models
folder=Path("/tmp/w/upgrade/emu"); folder.mkdir(exist_ok=True)
st=emulator.start(folder, port=0)
env=installation.variables(emulator.environment(st, os.environ), folder)
root=Path("/tmp/w/upgrade/tests/modules/transitions")
def run(*a, ok=True):
    r=subprocess.run(["terraform",a[0],"-no-color",*a[1:]],cwd=root,env=env,capture_output=True,text=True)
    print("$",a,r.returncode,flush=True)
    if r.returncode: print(r.stdout[-600:], r.stderr[-1500:],flush=True)
    return r.stdout
def plan(*a):
    run("plan","-out=plan",*a)
    for c in models.read("x",json.loads(run("show","-json","plan"))).changes:
        print("   ",c.address,c.action,c.created_first,c.forced_by,c.reason,[d.name for d in c.differences],flush=True)
try:
    run("init"); run("apply","-auto-approve")
    print("OLD: everything"); plan("-var=connected=true","-var=listened_port=9090","-var=registry=second","-var=spot=true","-var=worker_count=2")
    print("OLD: apply connected"); run("apply","-auto-approve","-var=connected=true"); 
    print("OLD: second plan"); plan("-var=connected=true")
    print("OLD: off again"); run("apply","-auto-approve",ok=False)
    os.remove("/tmp/w/upgrade/modules"); os.symlink("/tmp/w/service/modules","/tmp/w/upgrade/modules")
    shutil.copy("/tmp/w/service/tests/modules/transitions/main.tf",root)
    run("init")
    print("NEW over OLD connected: same"); plan("-var=connected=true")
    print("NEW over OLD connected: off"); plan()
    run("apply","-auto-approve"); print("NEW second"); plan()
finally:
    emulator.stop(folder)

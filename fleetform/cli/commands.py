"""The tasks of the product. Each names its function, so that the list of tasks loads none of them."""

from dataclasses import replace

from fleetform.cli.adapter import Command, Group
from fleetform.cli.flags import (
    BUILDER,
    CHECK,
    DELETE_IMAGES,
    ENV,
    FORMAT,
    JOBS,
    JSON,
    LOCAL,
    RUNNER,
    SERVICE,
    STACK,
    VERBOSE,
    WAIT,
    YES,
    choice,
    choices,
    names,
    number,
    option,
    switch,
    word,
)

_IN_ENV = (ENV, FORMAT)
_ENV = (ENV.keyword,)

# Extras: for the API of AWS, for images and containers, and for an environment on this machine.
_AWS = ("aws",)
_CONTAINERS = ("aws", "containers")
_EMULATED = ("emulator", "containers")

PROJECT = Group(
    "Project",
    (
        Command(
            "init",
            "Create a project, render it, and show what is next.\n\n"
            "Asks for what no flag gives. The folder must be new or empty. Nothing is written unless all"
            " succeeds.",
            "fleetform.cli.init:init",
            (
                word(
                    "dir", "Folder of the project. Default: this folder.", required=False, parameter="folder"
                ),
                option(
                    "application",
                    "Name of the application; all names begin with it. Default: the folder's name.",
                    "NAME",
                ),
                option("account", "AWS account, 12 digits. Default: 123456789012, to change later.", "ID"),
                option(
                    "region", "AWS region. Default: AWS_REGION or AWS_DEFAULT_REGION, else us-east-1.", "NAME"
                ),
                option(
                    "zones",
                    "Availability zones, separated by commas. Default: two of the region.",
                    "NAMES",
                    names,
                    default=(),
                ),
                option(
                    "services",
                    "Services, separated by commas. The first is public and calls the rest. Default: web.",
                    "NAMES",
                    names,
                    default=(),
                ),
                option(
                    "ci",
                    "github, gitlab, atlantis or none. Default: github.",
                    "NAME",
                    choice("github", "gitlab", "atlantis", "none"),
                    parameter="pipeline",
                ),
                switch("sample", "Write the sample application: three services that call each other."),
                replace(YES, help="Do not ask. Use the defaults for what no flag gives."),
            ),
            anywhere=True,
        ),
    ),
)

CATALOG = Group(
    "Catalog",
    (
        Command(
            "render",
            "Render the catalog into envs/<env>/ as Terraform to commit.",
            "fleetform.cli.render:render",
            (*_IN_ENV, CHECK, JSON),
            _ENV,
        ),
        Command(
            "explain",
            "Show each value and the file and line that set it.",
            "fleetform.cli.explain:explain",
            (
                word(
                    "key",
                    "A service, one of its keys as in web.cpu, or any key. Default: all.",
                    required=False,
                    parameter="what",
                ),
                *_IN_ENV,
                JSON,
            ),
            _ENV,
        ),
        Command(
            "check",
            "Check rendered code: current, formatted and within policy.",
            "fleetform.cli.tasks.check:check",
            (
                ENV,
                replace(
                    FORMAT,
                    help=FORMAT.help.replace("catalog errors", "findings and catalog errors"),
                    parameter="report_format",
                ),
                switch("validate", "Run `terraform validate` too, which takes seconds for each stack."),
                switch("plan", "Plan too, and check what only a plan can decide. Needs access to AWS."),
                JSON,
                option("explain", "Explain a rule, such as FF001, and check nothing.", "RULE"),
                option(
                    "fail-on",
                    "Lowest severity that fails the check: high, medium or low. Default: low.",
                    "SEVERITY",
                    choice("high", "medium", "low"),
                    default="low",
                ),
                switch(
                    "write-baseline",
                    "Accept the current findings in envs/<env>/policy-baseline.json, so that only new ones"
                    " fail.",
                ),
            ),
            _ENV,
        ),
        Command("rules", "List the policy rules.", "fleetform.cli.rules:list_rules", (JSON,), anywhere=True),
        Command(
            "schema",
            "Generate the catalog's JSON Schema and the reference docs.",
            "fleetform.cli.catalog:schema",
            (CHECK,),
        ),
        Command(
            "upgrade",
            "Move the project to another version of Fleetform.\n\n"
            "Merges modules/ and run, pins the version, renders every environment, and prints what changed."
            " Needs a Git repository without uncommitted changes. Commits nothing. See docs/upgrading.md.",
            "fleetform.cli.upgrade:upgrade",
            (
                option("to", "Version to move to. Default: that of this program.", "VERSION", default=""),
                switch("plan", "Plan every environment afterwards, and show what an apply would do."),
                switch("from-fork", "Turn a fork of version 0.1.0 into a project that installs Fleetform."),
                YES,
                JSON,
            ),
        ),
        Command(
            "new-service",
            "Add a service to the catalog. Keeps comments and layout.",
            "fleetform.cli.tasks.catalog:new_service",
            (
                word("name", "Name of the service."),
                option("port", "Port that it listens on. Default: none, for a worker.", "PORT", number(0)),
                option("calls", "Services that it calls, separated by commas.", "NAMES", names, default=()),
                option(
                    "image", "Image that is built elsewhere. Default: built from containers/<name>.", "IMAGE"
                ),
            ),
        ),
        Command(
            "new-env",
            "Create an environment as a copy of an existing one.",
            "fleetform.cli.catalog:new_env",
            (
                word("name", "Name of the new environment."),
                word("like", "Environment to copy. Names that belong to it are not copied."),
            ),
        ),
    ),
)

TERRAFORM = Group(
    "Terraform",
    (
        Command(
            "plan",
            "Show what an apply would change, and which of it is risky.",
            "fleetform.cli.tasks.stacks:plan",
            (
                *_IN_ENV,
                STACK,
                JOBS,
                WAIT,
                VERBOSE,
                JSON,
                option(
                    "changed-since",
                    "Only the stacks that `affected` lists for this commit.",
                    "COMMIT",
                    default="",
                ),
                switch("details", "Show every change with its values, not only risky ones.", "d"),
                option(
                    "out", "File to write the plans to as Markdown, for a pull request.", "FILE", default=""
                ),
                option(
                    "fail-on",
                    "Changes that exit with 1: add, change, replace, destroy, risk. Separate them by commas.",
                    "CHANGES",
                    choices("add", "change", "replace", "destroy", "risk"),
                    default=(),
                ),
                switch(
                    "save",
                    "Save the plans. `apply --saved` applies them, or nothing if anything changed since.",
                ),
            ),
            _ENV,
            extras=_AWS,
        ),
        Command(
            "apply",
            "Plan each stack, ask, and apply exactly these plans.",
            "fleetform.cli.tasks.stacks:apply",
            (
                *_IN_ENV,
                STACK,
                JOBS,
                WAIT,
                VERBOSE,
                YES,
                switch("resume", "Only the stacks that the last apply did not finish."),
                switch("saved", "Apply the plans that `plan --save` saved."),
                DELETE_IMAGES,
            ),
            _ENV,
            extras=_AWS,
        ),
        Command(
            "deploy",
            "Render, check, apply, build images and verify in one go.",
            "fleetform.cli.tasks.deploy:deploy",
            (
                *_IN_ENV,
                JOBS,
                WAIT,
                VERBOSE,
                YES,
                DELETE_IMAGES,
                BUILDER,
                option(
                    "severity",
                    "Lowest severity of ECR scan findings that stops the deployment, or none. Default:"
                    " critical.",
                    "SEVERITY",
                    choice("critical", "high", "medium", "low", "informational", "undefined", "none"),
                    default="critical",
                ),
            ),
            _ENV,
            extras=_CONTAINERS,
        ),
        Command(
            "verify",
            "Compare what runs on AWS with the catalog.",
            "fleetform.cli.stacks:verify",
            (*_IN_ENV, JSON),
            _ENV,
            extras=_AWS,
        ),
        Command(
            "drift",
            "Show changes made outside Terraform or not applied yet.",
            "fleetform.cli.tasks.stacks:drift",
            (*_IN_ENV, JOBS, WAIT, JSON),
            _ENV,
            extras=_AWS,
        ),
        Command(
            "affected",
            "List stacks and services that differ from a commit.",
            "fleetform.cli.affected:show",
            (
                word(
                    "changed-since",
                    "Commit to compare with: a hash, a branch or a tag.",
                    parameter="reference",
                ),
                *_IN_ENV,
                switch("why", "Show why each stack differs."),
                JSON,
            ),
            _ENV,
        ),
        Command(
            "runs",
            "List past applies and destroys: who, when, and the outcome.",
            "fleetform.cli.runs:show",
            (*_IN_ENV, JSON),
            _ENV,
        ),
        Command(
            "destroy",
            "Destroy every stack of an environment, dependents first.",
            "fleetform.cli.tasks.stacks:destroy",
            (*_IN_ENV, JOBS, WAIT, VERBOSE, YES),
            _ENV,
            extras=_AWS,
        ),
        Command(
            "bootstrap",
            "Create or update the S3 bucket for Terraform state.",
            "fleetform.cli.state:bootstrap",
            (*_IN_ENV, JSON),
            _ENV,
            extras=_AWS,
        ),
        Command(
            "state-doctor",
            "Show the state and lock of each stack, and how to fix them.",
            "fleetform.cli.tasks.state:state_doctor",
            (
                *_IN_ENV,
                YES,
                JSON,
                option("unlock", "Remove a stale lock instead.", "STACK:ID"),
            ),
            _ENV,
            extras=_AWS,
        ),
        Command(
            "ci",
            "Write the CI pipeline that checks, plans and applies.\n\n"
            "github writes .github/workflows/fleetform.yml, gitlab .gitlab-ci.yml, and atlantis"
            " atlantis.yaml. The"
            " pipeline checks a pull request and plans each stack that it affects. It applies the main"
            " branch to one"
            " environment after the other: by name, those with `protection` last, or as `applied_after` in"
            " their"
            " environment.yaml says. A file that was written by hand is never overwritten. See"
            " docs/pipelines.md.",
            "fleetform.cli.pipelines:ci",
            (
                option(
                    "provider",
                    "github, gitlab or atlantis. Default: those whose pipeline is already in the project.",
                    "NAME",
                    choice("github", "gitlab", "atlantis"),
                    default="",
                    parameter="name",
                ),
                CHECK,
                JSON,
            ),
        ),
    ),
)

IMAGES = Group(
    "Images",
    (
        Command(
            "images",
            "Build and push missing images, lock digests, and render.",
            "fleetform.cli.tasks.images:images",
            (
                *_IN_ENV,
                SERVICE,
                BUILDER,
                replace(JOBS, help="Images to build at a time. Default: 2.", default=2),
            ),
            _ENV,
            extras=_CONTAINERS,
        ),
        Command(
            "promote",
            "Copy images between environments by digest, and render.",
            "fleetform.cli.deployment:promote",
            (
                word("from", "Environment to take the images from.", parameter="source"),
                word("to", "Environment to give them to.", parameter="target"),
                FORMAT,
                SERVICE,
                option(
                    "from-profile",
                    "AWS profile for the source registry if it is in a different account.",
                    "PROFILE",
                    parameter="profile",
                ),
            ),
            ("source", "target"),
            extras=_CONTAINERS,
        ),
        Command(
            "rollback",
            "Restore a service's previous image from Git, and render.",
            "fleetform.cli.deployment:rollback",
            (word("service", "Name of the service."), *_IN_ENV),
            _ENV,
            extras=_CONTAINERS,
        ),
        Command(
            "prune",
            "Delete old images. Keeps locked ones and rollback targets.",
            "fleetform.cli.images:prune",
            (
                *_IN_ENV,
                YES,
                JSON,
                option(
                    "keep",
                    "Images to keep of each service, besides locked ones. Default: 30.",
                    "N",
                    number(0),
                    default=30,
                ),
            ),
            _ENV,
            extras=_CONTAINERS,
        ),
    ),
)

THIS_MACHINE = Group(
    "This machine",
    (
        Command(
            "demo",
            "Render, check, apply, verify and destroy on this machine.",
            "fleetform.cli.tasks.local:demo",
            (switch("keep", "Leave everything running instead of destroying it."),),
            extras=_EMULATED,
        ),
        Command(
            "up",
            "Run the services here with their names, variables and calls.",
            "fleetform.cli.tasks.local:up",
            (*_IN_ENV, RUNNER),
            _ENV,
            extras=_EMULATED,
        ),
        Command(
            "down",
            "Remove what `up` started.",
            "fleetform.cli.tasks.local:down",
            (*_IN_ENV, RUNNER),
            _ENV,
            extras=_CONTAINERS,
        ),
        Command(
            "ps",
            "Show the services that run here.",
            "fleetform.cli.local:ps",
            (*_IN_ENV, RUNNER, JSON),
            _ENV,
            extras=_CONTAINERS,
        ),
        Command(
            "logs",
            "Show the output of the services that run here.",
            "fleetform.cli.tasks.local:logs",
            (
                *_IN_ENV,
                SERVICE,
                RUNNER,
                switch("follow", "Keep printing new output until Ctrl-C.", "f"),
                option("tail", "Lines to show of each container. Default: all.", "N", number(0)),
            ),
            _ENV,
            extras=_CONTAINERS,
        ),
        Command(
            "smoke",
            "Test that declared calls work and that no others do.",
            "fleetform.cli.tasks.local:smoke",
            (
                *_IN_ENV,
                RUNNER,
                switch("on-aws", "Test the services on AWS, through ECS Exec, not those here."),
                option("junit", "File to write the result to as JUnit XML, for pipelines.", "FILE"),
                JSON,
            ),
            _ENV,
            extras=_CONTAINERS,
        ),
        Command(
            "test",
            "Run the project's tests, such as those of its plans.",
            "fleetform.cli.testing:test",
            (
                word("path", "File, folder or test to run. Default: tests.", required=False),
                option("k", "Run only tests with this in their names, as `pytest -k` does.", "EXPRESSION"),
            ),
            extras=("test",),
        ),
        Command(
            "emulator.start",
            f"Start the emulator: the AWS API on loopback, for `{LOCAL}`.",
            "fleetform.cli.emulator:start",
        ),
        Command(
            "emulator.stop",
            f"Stop the emulator. Discards what was applied to `{LOCAL}`.",
            "fleetform.cli.emulator:stop",
        ),
        Command(
            "emulator.status",
            "Show whether the emulator runs, and where.",
            "fleetform.cli.emulator:status",
            (JSON,),
        ),
    ),
)

GROUPS = (PROJECT, CATALOG, TERRAFORM, IMAGES, THIS_MACHINE)

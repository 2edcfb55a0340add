/**
 * What `klatch run` reads from its environment and flags, what the command sees, and what is in the object.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { KubeObject } from "../../lib/lock.ts";
import { linesOf, onServers, type Place } from "./place.ts";

onServers("what the command sees", (test) => {
  test("is the lock, its namespace, the strategy, the holder and the token", async (place) => {
    const { stdout } = await place.run(["-i", "alice"], ["env"], { env: { OWN: "kept" } });
    const seen = Object.fromEntries(linesOf(stdout).map((line) => line.split("=", 2)));
    const { KLATCH_LOCK, KLATCH_NAMESPACE, KLATCH_STRATEGY, KLATCH_HOLDER, KLATCH_TOKEN, OWN } = seen;
    assertEquals(
      [KLATCH_LOCK, KLATCH_NAMESPACE, KLATCH_STRATEGY, KLATCH_HOLDER, OWN],
      [place.name, place.namespace, "lease", "alice", "kept"],
    );
    assertMatch(KLATCH_TOKEN ?? "", /^[1-9]\d*$/);
  });

  test("is the holder that the object names, also where klatch made up the name", async (place) => {
    const running = place.spawn([], ["sh", "-c", "echo $KLATCH_HOLDER; cat"], { stdin: "open" });
    const holder = await running.line("stdout", /./);
    assertEquals(await place.holders(), [holder]);
    assertMatch(holder, new RegExp(`^${Deno.hostname()}_\\w{16}$`));
    await running.closeStdin();
    assertEquals((await running.finished).code, 0);
  });

  test("is SSLKEYLOGFILE, to which klatch itself writes nothing", async (place) => {
    const file = place.file("tls-secrets");
    const { code, stdout, stderr } = await place.run([], ["sh", "-c", "echo $SSLKEYLOGFILE"], {
      env: { SSLKEYLOGFILE: file },
    });
    assertEquals([code, stdout], [0, `${file}\n`], stderr);
    assertEquals(place.has("tls-secrets") && Deno.readTextFileSync(file), "");
  });

  test("lets it run klatch in its turn, for another lock", async (place) => {
    const inner = ["sh", "-c", `exec "$0" run inner -q -- sh -c 'echo $KLATCH_NAMESPACE/$KLATCH_LOCK'`];
    const { code, stdout } = await place.run([], [...inner, place.binary]);
    assertEquals([code, stdout], [0, `${place.namespace}/inner\n`]);
  });

  test("lets it look at its own lock and break another one", async (place) => {
    const script = `
      "$0" status "$1" --output name
      "$0" acquire other --quiet --strategy lease --follow $PPID
      "$0" check other --quiet
      "$0" break other --strategy lease --yes 2>&1 >/dev/null`;
    const inner = ["sh", "-e", "-c", script, place.binary, place.name];
    const flags = ["--strategy", "endpoints,lease", "--output", "text"];
    const { stdout, stderr } = await place.run(flags, inner, { env: { KLATCH_OUTPUT: "github" } });
    assertEquals(linesOf(stdout).slice(0, 2), [`lease/${place.name}`, `endpoints/${place.name}`], stderr);
    assertStringIncludes(stdout, `klatch: broke ${place.namespace}/other`);
  });
});

onServers("a run within a run for the same lock", (test) => {
  for (const strategy of ["lease", "endpoints", "ticket", "semaphore"]) {
    test(`is refused, since it would wait for itself (${strategy})`, async (place) => {
      const inner = [place.binary, ...place.words(["-q"], ["touch", place.file("ran")])];
      const { code, stderr } = await place.run(["-q", "--strategy", strategy], inner);
      assertEquals([code, place.has("ran")], [125, false], stderr);
      const lines = linesOf(stderr).filter((line) => !line.includes("deprecates"));
      assertEquals(lines.length, 1, stderr);
      assertMatch(lines[0] ?? "", /^klatch: \S+ is held by \S+, a run of klatch that this one is a part of/);
      assertEquals((await place.run(["-w", "0", "--strategy", strategy], ["true"])).code, 0);
    });
  }

  test("is told at once that it will not acquire in time, if it was to wait for a time", async (place) => {
    const inner = [place.binary, ...place.words(["-q", "-w", "1h", "-E", "9"], ["touch", place.file("ran")])];
    const { code, stderr } = await place.run(["-q"], inner);
    assertEquals([code, place.has("ran")], [9, false], stderr);
    assertMatch(stderr, /this one is a part of/);
  });

  test("is refused behind a run for another lock as well", async (place) => {
    const innermost = [place.binary, ...place.words(["-q"], ["touch", place.file("ran")])];
    const inner = [
      place.binary,
      "run",
      "between",
      "-q",
      "--",
      "sh",
      "-c",
      '"$@"; exit $?',
      "sh",
      ...innermost,
    ];
    const { code, stderr } = await place.run(["-q"], inner);
    assertEquals([code, place.has("ran")], [125, false], stderr);
    assertMatch(stderr, /this one is a part of/);
  });

  test("waits where the run around it lets others in", async (place) => {
    const shares = ["--strategy", "semaphore", "--slots", "2"];
    const inner = [place.binary, ...place.words([...shares, "-q"], ["echo", "both"])];
    const { code, stdout, stderr } = await place.run([...shares, "-q"], inner);
    assertEquals([code, stdout], [0, "both\n"], stderr);
  });

  test("waits if it is told that the run around it does not wait for it", async (place) => {
    const without = ["env", "-u", "KLATCH_RUN", place.binary, ...place.words(["-w", "300ms"], ["true"])];
    const inner = ["sh", "-c", '"$@"; exit $?', "sh", ...without];
    const { code, stderr } = await place.run([], inner);
    assertEquals(code, 124, stderr);
    assertMatch(stderr, /waiting for/);
  });
});

onServers("environment variables of flags", (test) => {
  const on = (place: Place, env: Record<string, string>, flags: string[] = [], command = ["echo", "ran"]) =>
    place.klatch(["run", place.name, ...flags, "--", ...command], {
      env: { KLATCH_NAMESPACE: place.namespace, ...env },
    }).finished;

  test("give a flag its value", async (place) => {
    await place.holder(["-i", "alice"]);
    const { code, stderr } = await on(place, {
      KLATCH_WAIT: "0",
      KLATCH_CONFLICT_EXIT_CODE: "9",
      KLATCH_OUTPUT: "json",
    });
    assertEquals(code, 9);
    assertEquals(linesOf(stderr).map((line) => JSON.parse(line).code), ["timeout"]);
  });

  test("turn a switch on and off", async (place) => {
    assertEquals((await on(place, { KLATCH_QUIET: "true" })).stderr, "");
    assertEquals((await on(place, { KLATCH_QUIET: "1" })).stderr, "");
    assertStringIncludes((await on(place, { KLATCH_QUIET: "false" })).stderr, "acquired");
    assertStringIncludes((await on(place, { KLATCH_QUIET: "0" })).stderr, "acquired");
    assertStringIncludes((await on(place, { KLATCH_QUIET: "" })).stderr, "acquired");
  });

  test("give way to flags", async (place) => {
    await place.holder(["-i", "alice"]);
    const env = { KLATCH_WAIT: "1h", KLATCH_CONFLICT_EXIT_CODE: "9", KLATCH_QUIET: "1" };
    assertEquals((await on(place, env, ["--wait=0", "-E", "8"])).code, 8);
    const other = await place.server.freshNamespace("e2e");
    const { code, stderr } = await on(place, env, ["-n", other, "--quiet=false"]);
    assertEquals(code, 0);
    assertStringIncludes(stderr, `acquired ${other}/${place.name}`);
  });

  test("are outdone also by an empty value and by a switch turned off", async (place) => {
    const env = { KLATCH_LABELS: "team=db", KLATCH_QUIET: "1" };
    const { code, stderr } = await on(place, env, ["--labels", "", "--quiet=0"]);
    assertEquals(code, 0);
    assertStringIncludes(stderr, "acquired");
    assertEquals((await place.bench.object()).metadata.labels?.["team"], undefined);
  });

  test("are checked as the flags are", async (place) => {
    for (const env of [{ KLATCH_WAIT: "soon" }, { KLATCH_QUIET: "maybe" }, { KLATCH_STRATEGY: "leese" }]) {
      const { code, stderr } = await on(place, env);
      assertEquals(code, 125);
      assertStringIncludes(stderr, Object.values(env)[0] ?? "");
    }
  });

  test("choose kubeconfig and context", async (place) => {
    const env = { KUBECONFIG: "", KLATCH_KUBECONFIG: place.server.kubeconfigFile };
    assertEquals((await on(place, env)).code, 0);
    const { code, stderr } = await on(place, { ...env, KLATCH_CONTEXT: "no-such-context" });
    assertEquals(code, 125);
    assertStringIncludes(stderr, "no-such-context");
  });
});

onServers("the object", (test) => {
  test("has the labels asked for, and tells that klatch made it", async (place) => {
    await place.run(["--labels", "team=db,example.com/tier=1,empty="], ["true"]);
    assertEquals((await place.bench.object()).metadata.labels, {
      "app.kubernetes.io/managed-by": "klatch",
      team: "db",
      "example.com/tier": "1",
      empty: "",
    });
  });

  test("keeps what others have put there", async (place) => {
    const labels = { team: "db" }, annotations = { "example.com/note": "keep me" };
    await place.bench.client.create(place.bench.ref, object(place, { labels, annotations }));
    assertEquals((await place.run(["--labels", "tier=1", "--cleanup"], ["true"])).code, 0);
    const { metadata } = await place.bench.object();
    assertEquals(metadata.labels, { team: "db", tier: "1" });
    assertEquals(metadata.annotations, annotations);
  });

  test("is deleted after, if klatch made it and --cleanup says so", async (place) => {
    await place.run(["--cleanup"], ["true"]);
    assertEquals(await place.bench.client.get(place.bench.ref), undefined);
    await place.run([], ["true"]);
    assert(await place.bench.client.get(place.bench.ref) !== undefined);
  });

  test("is deleted also when the command fails or does not exist", async (place) => {
    for (const command of [["sh", "-c", "exit 3"], ["no-such-command-here"]]) {
      await place.run(["--cleanup"], command);
      assertEquals(await place.bench.client.get(place.bench.ref), undefined);
    }
  });

  test("keeps names and texts that look like numbers", async (place) => {
    const flags = ["-n", place.namespace, "-i", "0x10", "--reason", "1e3", "--labels", "v=1.0"];
    const words = ["run", "007", ...flags, "--", "sh", "-c", "echo $KLATCH_LOCK; cat"];
    const running = place.klatch(words, { stdin: "open" });
    assertEquals(await running.line("stdout", /./), "007");
    const found = await place.bench.client.get({ ...place.bench.ref, name: "007" });
    assertEquals(found?.metadata.labels?.["v"], "1.0");
    assertEquals(place.bench.holdersIn(found as KubeObject), ["0x10"]);
    const { stderr } = await place.klatch(["run", "007", "-n", place.namespace, "-w", "0", "--", "true"])
      .finished;
    assertMatch(stderr, /held by 0x10 for \d+ s \(reason: 1e3\)/);
    await running.closeStdin();
    await running.finished;
  });
});

function object(place: Place, metadata: Partial<KubeObject["metadata"]>): KubeObject {
  const { apiVersion, kind } = place.bench.ref.resource;
  return { apiVersion, kind, metadata: { ...place.bench.lock, ...metadata } };
}

onServers("an environment that cannot be used", (test) => {
  for (const name of ["KLATCH_REASON", "KUBECONFIG", "KLATCH_KUBECONFIG_DATA"]) {
    test(`is named in one line: ${name} that is not UTF-8`, async (place) => {
      const line = `export ${name}="$(printf 'a\\377b')"; exec "$@"`;
      const { code, stderr } = await place.shell(line, [], ["touch", place.file("ran")]).finished;
      assertEquals([code, place.has("ran")], [125, false]);
      assertMatch(stderr, new RegExp(`^klatch: .*${name} is not valid UTF-8; .*\n$`));
    });
  }

  test("is named in one line: HOME that is not UTF-8, if it is needed", async (place) => {
    const line = `unset KUBECONFIG; export HOME="$(printf 'a\\377b')"; exec "$@"`;
    const { code, stderr } = await place.shell(line, [], ["touch", place.file("ran")]).finished;
    assertEquals([code, place.has("ran")], [125, false]);
    assertMatch(stderr, /^klatch: .*HOME is not valid UTF-8; .*\n$/);
  });

  test("is passed on to the command byte by byte if klatch does not need it", async (place) => {
    const line = `export OWN="$(printf 'a\\377b')"; exec "$@"`;
    const command = ["sh", "-c", `printf %s "$OWN" | od -An -tx1`];
    const { code, stdout } = await place.shell(line, ["-q"], command).finished;
    assertEquals([code, stdout.trim()], [0, "61 ff 62"]);
  });

  test("is named in one line: TMPDIR without such a directory, for a sandbox", async (place) => {
    const env = { TMPDIR: place.file("missing") };
    const { code, stderr } = await place.klatch(["sandbox", "--", "touch", place.file("ran")], { env })
      .finished;
    assertEquals([code, place.has("ran")], [125, false]);
    assertMatch(stderr, /^klatch: cannot make a temporary folder in .*missing: .*TMPDIR.*\n$/);
  });

  test("is said in one line: too few open files", async (place) => {
    const line = `ulimit -n 18; exec "$@"`;
    const { code, stderr } = await place.shell(line, [], ["touch", place.file("ran")]).finished;
    assertEquals([code, place.has("ran")], [125, false]);
    assertMatch(stderr, /^klatch: .*raise the limit of open files.*\n$/);
  });
});

//! A rule that kills Attune twice: the third start goes on without it, says so everywhere, and takes it back when told to.

use rustix::process::{Signal, kill_process};

use crate::database::Database;
use crate::eventually::eventually;
use crate::home::Home;
use crate::up::Up;

/// A rule that takes all the time that a template may take, each second, and one beside it.
const RULES: &str = r#"
    INSERT INTO rule (ref, trigger_ref, action_ref, trigger_params, action_params) VALUES
        ('my.heavy', 'core.interval_timer', 'core.noop', '{"seconds": 1}',
         '{"x": "{% for i in range(100000) %}{% for j in range(10000) %}{{ i * j }}{% endfor %}{% endfor %}"}'),
        ('my.light', 'core.interval_timer', 'core.noop', '{"seconds": 1, "missed": "once"}', '{}')"#;

const ASIDE: &str = "SELECT reason FROM fuse WHERE reason IS NOT NULL";
/// The slots of a page begin at this word, eight for each. The upper four bits of the first are 4 for a rule, the next four are 3
/// for its parameters.
const SLOTS: usize = 32;
const PARAMETERS: u64 = 0x43 << 56;

/// Whether this process evaluates a rule at this moment, as its page shows.
fn evaluates(home: &Home, up: &Up, rule: u64) -> bool {
    let own = format!("{}-", up.pid().as_raw_nonzero());
    let pages = std::fs::read_dir(home.data_dir().join("fuse")).into_iter().flatten().flatten();
    let mut pages = pages.filter(|page| page.file_name().to_string_lossy().starts_with(&own));
    pages.any(|page| {
        let page = std::fs::read(page.path()).unwrap_or_default();
        let words = page.as_chunks().0.iter().map(|bytes| u64::from_ne_bytes(*bytes));
        words.skip(SLOTS).step_by(8).any(|word| word == PARAMETERS | rule)
    })
}

/// Starts Attune and ends it as soon as it evaluates the rule. `false`: it has put it aside.
fn die(home: &Home, database: &Database, rule: u64, signal: Signal) -> bool {
    let mut up = Up::begin(home);
    loop {
        if (0..1000).any(|_| evaluates(home, &up, rule)) {
            kill_process(up.pid(), signal).unwrap();
            up.ended();
            return true;
        }
        if !database.rows(ASIDE).is_empty() {
            up.stop();
            return false;
        }
    }
}

fn rule(database: &Database) -> u64 {
    u64::try_from(database.number("SELECT id FROM rule WHERE ref = 'my.heavy'")).unwrap()
}

/// The rule is told of and not evaluated, and the one beside it fires.
fn assert_goes_on(database: &Database) {
    database.eventually(
        "SELECT 1 FROM event WHERE trigger_ref = 'core.put_aside' AND payload ->> 'ref' = 'my.heavy'",
    );
    let fired = |rule: &str| {
        database.number(&format!("SELECT count(*) FROM enforcement WHERE rule_ref = 'my.{rule}'"))
    };
    let [light, heavy] = ["light", "heavy"].map(fired);
    eventually("other rules fire", || (fired("light") > light + 1).then_some(()));
    assert_eq!(fired("heavy"), heavy);
}

#[test]
fn a_rule_that_kills_twice_is_put_aside_and_taken_back() {
    let (home, database) = Home::with_database();
    home.up(&[]).stop();
    database.execute(RULES);
    let rule = rule(&database);
    // A signal may come a moment too late, which counts for nothing.
    let deaths = (0..20).take_while(|_| die(&home, &database, rule, Signal::ABORT)).count();
    assert!((2..20).contains(&deaths), "{deaths}");

    let up = home.up(&[]);
    assert_goes_on(&database);
    let fault = home.json(&["rule", "show", "my.heavy"])["fault"].as_str().unwrap().to_owned();
    assert!(
        fault.starts_with("it was put aside: Attune died 2 times while it evaluated this rule"),
        "{fault}"
    );
    assert!(home.attune(&["rule", "list"]).stdout.contains("it was put aside"));
    assert!(home.attune(&["doctor"]).stdout.contains("rule my.heavy: it was put aside"));
    assert_eq!(home.attune(&["rule", "enable", "my.heavy"]).code, 0);
    eventually("it is in use again", || evaluates(&home, &up, rule).then_some(()));
    assert!(home.json(&["rule", "show", "my.heavy"])["fault"].is_null());
    up.kill();
}

/// A kill may be chance, so the second one counts only when the rule did not come to its end since the first.
#[test]
fn a_rule_during_which_attune_is_killed_twice_is_put_aside() {
    let (home, database) = Home::with_database();
    home.up(&[]).stop();
    database.execute(RULES);
    let long = "{% for i in range(300) %}{{ ('x' * 100000) | upper | length }}{% endfor %}";
    database.execute(&format!(
        "UPDATE rule SET action_params = jsonb_build_object('x', $text${long}$text$) WHERE ref = 'my.heavy'"
    ));
    let rule = rule(&database);
    let deaths = (0..20).take_while(|_| die(&home, &database, rule, Signal::KILL)).count();
    assert!((2..20).contains(&deaths), "{deaths}");
    let up = home.up(&[]);
    assert_goes_on(&database);
    up.kill();
}

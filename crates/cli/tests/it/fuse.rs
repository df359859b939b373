//! A rule that kills Attune twice: the third start goes on without it, says so everywhere, and takes it back when told to.

use rustix::process::{Signal, kill_process};

use crate::database::Database;
use crate::eventually::eventually;
use crate::home::Home;

/// A rule that takes all the time that a template may take, each second, and one beside it.
const RULES: &str = r#"
    INSERT INTO rule (ref, trigger_ref, action_ref, trigger_params, action_params) VALUES
        ('my.heavy', 'core.interval_timer', 'core.noop', '{"seconds": 1}',
         '{"x": "{% for i in range(100000) %}{% for j in range(10000) %}{{ i * j }}{% endfor %}{% endfor %}"}'),
        ('my.light', 'core.interval_timer', 'core.noop', '{"seconds": 1, "missed": "once"}', '{}')"#;

const ASIDE: &str = "SELECT reason FROM fuse WHERE reason IS NOT NULL";
/// The slots of a page begin at this word, eight for each; the upper four bits of the first are 4 for a rule.
const SLOTS: usize = 32;

/// Whether a process that lives evaluates a rule at this moment, as its page shows.
fn evaluates(home: &Home, rule: u64) -> bool {
    let pages = std::fs::read_dir(home.data_dir().join("fuse")).into_iter().flatten().flatten();
    pages.filter_map(|page| std::fs::read(page.path()).ok()).any(|page| {
        let words = page.as_chunks().0.iter().map(|bytes| u64::from_ne_bytes(*bytes));
        words.skip(SLOTS).step_by(8).any(|word| word == (4 << 60) | rule)
    })
}

/// Starts Attune and aborts it while it evaluates the rule. `false`: it has put it aside.
fn die(home: &Home, database: &Database, rule: u64) -> bool {
    let mut up = home.up(&[]);
    loop {
        if (0..1000).any(|_| evaluates(home, rule)) {
            kill_process(up.pid(), Signal::ABORT).unwrap();
            up.ended();
            return true;
        }
        if !database.rows(ASIDE).is_empty() {
            up.stop();
            return false;
        }
    }
}

#[test]
fn a_rule_that_kills_twice_is_put_aside_and_taken_back() {
    let (home, database) = Home::with_database();
    home.up(&[]).stop();
    database.execute(RULES);
    let rule = u64::try_from(database.number("SELECT id FROM rule WHERE ref = 'my.heavy'")).unwrap();
    // A signal may come a moment too late, which counts for nothing.
    let deaths = (0..20).take_while(|_| die(&home, &database, rule)).count();
    assert!((2..20).contains(&deaths), "{deaths}");

    let up = home.up(&[]);
    let fired = "SELECT count(*) FROM enforcement WHERE rule_ref = 'my.light'";
    let before = database.number(fired);
    eventually("other rules fire", || (database.number(fired) > before).then_some(()));
    let fault = home.json(&["rule", "show", "my.heavy"])["fault"].as_str().unwrap().to_owned();
    assert!(
        fault.starts_with("it was put aside: Attune died 2 times while it evaluated this rule"),
        "{fault}"
    );
    assert!(home.attune(&["rule", "list"]).stdout.contains("it was put aside"));
    assert!(home.attune(&["doctor"]).stdout.contains("rule my.heavy: it was put aside"));
    database.eventually(
        "SELECT 1 FROM event WHERE trigger_ref = 'core.put_aside' AND payload ->> 'ref' = 'my.heavy'",
    );

    assert_eq!(home.attune(&["rule", "enable", "my.heavy"]).code, 0);
    eventually("it is in use again", || evaluates(&home, rule).then_some(()));
    assert!(home.json(&["rule", "show", "my.heavy"])["fault"].is_null());
    up.kill();
}

//! Statements, written out with their expressions' guards.

use minijinja::machinery::ast::{self, Expr, Stmt};

use super::expression::Expressions;

impl Expressions {
    pub(super) fn statements(&mut self, statements: &[Stmt]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitExpr(emit) => {
                self.push("{{ ");
                self.whole(&emit.expr);
                self.push(" }}");
            }
            Stmt::EmitRaw(raw) => self.raw(raw.raw),
            Stmt::ForLoop(each) => self.for_loop(each),
            Stmt::IfCond(branch) => self.branch(branch),
            Stmt::WithBlock(with) => self.with(with),
            Stmt::Set(set) => {
                self.tag("set ", |written| {
                    written.target(&set.target);
                    written.push(" = ");
                    if matches!(set.target, Expr::GetAttr(_)) {
                        written.kept(&set.expr);
                    } else {
                        written.whole(&set.expr);
                    }
                });
            }
            Stmt::SetBlock(set) => self.set_block(set),
            Stmt::AutoEscape(escape) => {
                self.tag("autoescape ", |written| written.whole(&escape.enabled));
                self.statements(&escape.body);
                self.push("{% endautoescape %}");
            }
            Stmt::FilterBlock(block) => {
                self.tag("filter ", |written| written.whole(&block.filter));
                self.within(&block.body);
                self.push("{% endfilter %}");
            }
            Stmt::Do(act) => self.tag("do ", |written| written.call(&act.call)),
        }
    }

    /// Statements that a loop may repeat, or whose text is kept.
    fn within(&mut self, body: &[Stmt]) {
        self.around += 1;
        self.statements(body);
        self.around -= 1;
    }

    /// Text between expressions. What is written once at most costs no more than the template is long.
    fn raw(&mut self, text: &str) {
        let reads_as_syntax =
            ["{{", "{%", "{#"].iter().any(|begin| text.contains(begin)) || text.ends_with('{');
        if self.around == 0 && !reads_as_syntax {
            return self.push(text);
        }
        self.push("{{ ");
        self.quoted(text);
        self.push(" }}");
    }

    fn tag(&mut self, word: &str, rest: impl FnOnce(&mut Self)) {
        self.push("{% ");
        self.push(word);
        rest(self);
        self.push(" %}");
    }

    fn for_loop(&mut self, each: &ast::ForLoop) {
        self.tag("for ", |written| {
            written.target(&each.target);
            written.push(" in (");
            written.whole(&each.iter);
            written.push(")");
            if let Some(filter) = &each.filter_expr {
                written.push(" if (");
                written.whole(filter);
                written.push(")");
            }
            if each.recursive {
                written.push(" recursive");
            }
        });
        self.within(&each.body);
        if !each.else_body.is_empty() {
            self.push("{% else %}");
            self.statements(&each.else_body);
        }
        self.push("{% endfor %}");
    }

    fn branch(&mut self, first: &ast::IfCond) {
        self.tag("if ", |written| written.whole(&first.expr));
        self.statements(&first.true_body);
        let mut rest = &first.false_body;
        while let [Stmt::IfCond(next)] = rest.as_slice() {
            self.tag("elif ", |written| written.whole(&next.expr));
            self.statements(&next.true_body);
            rest = &next.false_body;
        }
        if !rest.is_empty() {
            self.push("{% else %}");
            self.statements(rest);
        }
        self.push("{% endif %}");
    }

    fn with(&mut self, with: &ast::WithBlock) {
        self.tag("with ", |written| {
            for (index, (target, value)) in with.assignments.iter().enumerate() {
                if index > 0 {
                    written.push(", ");
                }
                written.target(target);
                written.push(" = ");
                written.whole(value);
            }
        });
        self.statements(&with.body);
        self.push("{% endwith %}");
    }

    fn set_block(&mut self, set: &ast::SetBlock) {
        self.tag("set ", |written| {
            written.target(&set.target);
            if let Some(filter) = &set.filter {
                written.push(" | ");
                written.whole(filter);
            }
        });
        self.within(&set.body);
        self.push("{% endset %}");
    }

    /// What is assigned to: a name, an attribute of a namespace, or several of them.
    fn target(&mut self, target: &Expr) {
        match target {
            Expr::List(list) => {
                self.push("(");
                for item in &list.items {
                    self.target(item);
                    self.push(", ");
                }
                self.push(")");
            }
            Expr::Var(var) => self.push(var.id),
            Expr::GetAttr(attr) => {
                self.target(&attr.expr);
                self.push(".");
                self.push(attr.name);
            }
            other => self.whole(other),
        }
    }
}

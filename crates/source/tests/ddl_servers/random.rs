//! Random statements.

/// Generates statements `ALTER TABLE t` with few names, so that several clauses concern the same column.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn pick(&mut self, from: &[&str]) -> String {
        from[self.below(from.len())].to_owned()
    }

    fn name(&mut self) -> String {
        self.pick(&["a", "b", "c", "e", "F", "g", "`h i`"])
    }

    fn definition(&mut self) -> String {
        let data_type = self.pick(&[
            "INT",
            "BIGINT UNSIGNED",
            "VARCHAR(9)",
            "CHAR(3) CHARACTER SET latin1",
            "DECIMAL(6,2)",
            "DATETIME(3)",
            "TEXT",
            "ENUM('x','y')",
            "BIT(4)",
            "VARBINARY(5)",
            "TINYINT(1)",
            "VARCHAR(4) COLLATE koi8r_bin",
        ]);
        let null = self.pick(&["", " NOT NULL", " NULL", " DEFAULT NULL", " COMMENT 'a, (b'", " NOT NULL COMMENT 'c'"]);
        format!("{data_type}{null}")
    }

    fn position(&mut self) -> String {
        match self.below(4) {
            0 => " FIRST".into(),
            1 => format!(" AFTER {}", self.name()),
            _ => String::new(),
        }
    }

    fn clause(&mut self) -> String {
        match self.below(15) {
            0..=2 => format!("ADD {} {}{}", self.name(), self.definition(), self.position()),
            3 | 4 => format!("DROP COLUMN {}", self.name()),
            5 | 6 => format!("MODIFY {} {}{}", self.name(), self.definition(), self.position()),
            7 | 8 => format!("CHANGE {} {} {}{}", self.name(), self.name(), self.definition(), self.position()),
            9 => format!("RENAME COLUMN {} TO {}", self.name(), self.name()),
            10 => format!("ADD UNIQUE KEY {} ({}, {})", self.pick(&["k1", "k2"]), self.name(), self.name()),
            11 => format!("DROP KEY {}", self.pick(&["k1", "k2"])),
            12 => format!("ALTER COLUMN {} SET DEFAULT {}", self.name(), self.pick(&["1", "'x'", "NULL"])),
            13 => self.pick(&[
                "CONVERT TO CHARACTER SET cp850",
                "CONVERT TO CHARACTER SET utf8mb4",
                "DEFAULT CHARSET=latin1",
                "COMMENT='t'",
            ]),
            _ => self.pick(&[
                "DROP PRIMARY KEY",
                "ADD PRIMARY KEY (a)",
                "FORCE",
                "ADD INDEX (b)",
                "DROP PRIMARY KEY, ADD PRIMARY KEY (c)",
            ]),
        }
    }

    pub(crate) fn alter(&mut self) -> String {
        let count = 1 + self.below(3) * self.below(2);
        let clauses: Vec<String> = (0..count).map(|_| self.clause()).collect();
        format!("ALTER TABLE t {}", clauses.join(", "))
    }
}

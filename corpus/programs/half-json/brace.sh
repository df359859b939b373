printf '{'

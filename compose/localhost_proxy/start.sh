# Starts tinyproxy on LISTEN:PORT for clients from ALLOW (a network in CIDR notation).
set -eu
: "${LISTEN:?address to listen on}" "${PORT:?port to listen on}" "${ALLOW:?network of the clients}"
conf=/tmp/tinyproxy.conf
cat >"$conf" <<EOF
Listen $LISTEN
Port $PORT
Allow $ALLOW
MaxClients 10000
Timeout 2147483
DisableViaHeader Yes
LogLevel Warning
EOF
exec tinyproxy -d -c "$conf"

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""listener.py HOST PORT FOLDER [PATH]: takes indications at PATH (default /) and keeps each as FOLDER/NUMBER.xml, what
is embedded in it as NUMBER.SourceInstance.xml and NUMBER.PreviousInstance.xml, and a line of FOLDER/seen: CLASS, FILTER,
CONTEXT, SEQUENCE NUMBER, and the names and values of properties of what is embedded. Says "ready" when it listens."""
import http.server
import os
import sys
import xml.etree.ElementTree as tree

host, port, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
path = sys.argv[4] if len(sys.argv) > 4 else "/"
answer = (b'<?xml version="1.0" encoding="utf-8"?>\n<CIM CIMVERSION="2.0" DTDVERSION="2.0"><MESSAGE ID="1" '
          b'PROTOCOLVERSION="1.0"><SIMPLEEXPRSP><EXPMETHODRESPONSE NAME="ExportIndication"><IRETURNVALUE/>'
          b'</EXPMETHODRESPONSE></SIMPLEEXPRSP></MESSAGE></CIM>\n')


def values(instance):
    """Each property with its value, or its values with commas between them; None: NULL."""
    found = {}
    for prop in instance:
        if prop.tag == "PROPERTY":
            value = prop.find("VALUE")
            found[prop.get("NAME")] = None if value is None else value.text or ""
        elif prop.tag == "PROPERTY.ARRAY":
            value = prop.find("VALUE.ARRAY")
            found[prop.get("NAME")] = None if value is None else ",".join(v.text or "" for v in value)
    return found


class Listener(http.server.BaseHTTPRequestHandler):
    count = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        good = (self.path == path and self.headers["CIMExport"] == "MethodRequest" and
                self.headers["CIMExportMethod"] == "ExportIndication" and
                self.headers["Content-Type"] == 'application/xml; charset="utf-8"')
        if good:
            self.keep(body)
        self.send_response(200 if good else 400)
        self.send_header("Content-Type", 'application/xml; charset="utf-8"')
        self.send_header("CIMExport", "MethodResponse")
        self.send_header("Content-Length", str(len(answer) if good else 0))
        self.end_headers()
        if good:
            self.wfile.write(answer)

    def keep(self, body):
        base = os.path.join(folder, str(Listener.count))
        Listener.count += 1
        with open(base + ".xml", "wb") as file:
            file.write(body)
        instance = tree.fromstring(body).find(".//INSTANCE")
        found = values(instance)
        line = [instance.get("CLASSNAME"), found.get("IndicationFilterName"), found.get("SequenceContext"),
                found.get("SequenceNumber")]
        for name in ("SourceInstance", "PreviousInstance"):
            if not found.get(name):
                continue
            with open(f"{base}.{name}.xml", "w", encoding="utf-8") as file:
                file.write(found[name])
            embedded = tree.fromstring(found[name])
            line.append(f"{name}={embedded.get('CLASSNAME')}")
            line += [f"{name}.{key}={value}" for key, value in values(embedded).items() if value is not None]
        line += [f"{key}={value}" for key, value in found.items()
                 if value is not None and key not in ("SourceInstance", "PreviousInstance")]
        with open(os.path.join(folder, "seen"), "a", encoding="utf-8") as file:
            file.write("\t".join(str(part) for part in line) + "\n")

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer((host, port), Listener)
print("ready", flush=True)
server.serve_forever()

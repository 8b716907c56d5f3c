#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
Are all operations on associations of one mind? associations.py HOST:PORT DIR

For every instance of every namespace of the server: enumerations of instances and of names, at once and pulled, give
the same paths; References, ReferenceNames, Associators and AssociatorNames, with and without filters, give exactly what
the enumerated associations say; and GetInstance finds every path that was ever answered, also inside of properties.
All answers are left in DIR, for a validator. Prints what it has seen: NAMESPACE INSTANCES ASSOCIATIONS.
"""
import collections
import http.client
import os
import sys
import xml.etree.ElementTree as tree

NAMESPACES = ["interop", "root/ibm", "root/cimv2/storage/iscsitarget", "root/cimv2"]
Path = collections.namedtuple("Path", "namespace class_name keys")


class Refused(Exception):
    pass


def read_name(node, namespace):
    keys = []
    for binding in node.findall("KEYBINDING"):
        value = binding.find("KEYVALUE")
        keys.append((binding.get("NAME"), value.text or "") if value is not None else
                    (binding.get("NAME"), read_path(binding.find("VALUE.REFERENCE")[0], namespace)))
    return Path(namespace, node.get("CLASSNAME"), tuple(sorted(keys)))


def read_path(node, namespace):
    if node.tag == "OBJECTPATH":
        node = node[0]
    if node.tag == "INSTANCENAME":
        return read_name(node, namespace)
    parts = [part.get("NAME") for part in node.iter("NAMESPACE")]
    # Keys that are references have namespaces of their own, after that of the path.
    own = node.find(".//LOCALNAMESPACEPATH")
    parts = [part.get("NAME") for part in own]
    return read_name(node.find("INSTANCENAME"), "/".join(parts))


def put_name(path):
    keys = ""
    for name, value in path.keys:
        if isinstance(value, Path):
            inner = "<VALUE.REFERENCE><LOCALINSTANCEPATH>%s%s</LOCALINSTANCEPATH></VALUE.REFERENCE>" % (
                put_namespace(value.namespace), put_name(value))
        else:
            inner = "<KEYVALUE>%s</KEYVALUE>" % value.replace("&", "&amp;").replace("<", "&lt;")
        keys += '<KEYBINDING NAME="%s">%s</KEYBINDING>' % (name, inner)
    return '<INSTANCENAME CLASSNAME="%s">%s</INSTANCENAME>' % (path.class_name, keys)


def put_namespace(namespace):
    return "<LOCALNAMESPACEPATH>%s</LOCALNAMESPACEPATH>" % "".join(
        '<NAMESPACE NAME="%s"/>' % part for part in namespace.split("/"))


def parameter(name, value):
    if isinstance(value, Path):
        value = put_name(value)
    elif name in ("ClassName", "AssocClass", "ResultClass", "ObjectName"):
        value = '<CLASSNAME NAME="%s"/>' % value
    else:
        value = "<VALUE>%s</VALUE>" % value
    return '<IPARAMVALUE NAME="%s">%s</IPARAMVALUE>' % (name, value)


class Server:
    def __init__(self, address, folder):
        self.connection = http.client.HTTPConnection(address, timeout=30)
        self.folder = folder
        self.count = 0

    def ask(self, namespace, operation, **parameters):
        """The IRETURNVALUE, and what comes after it by name."""
        body = ('<?xml version="1.0"?><CIM CIMVERSION="2.0" DTDVERSION="2.0"><MESSAGE ID="1" PROTOCOLVERSION="1.0">'
                '<SIMPLEREQ><IMETHODCALL NAME="%s">%s%s</IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>' % (
                    operation, put_namespace(namespace),
                    "".join(parameter(*item) for item in parameters.items() if item[1] is not None)))
        self.connection.request("POST", "/cimom", body.encode(), {
            "CIMOperation": "MethodCall", "CIMMethod": operation, "CIMObject": namespace.replace("/", "%2F")})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit("%s: HTTP %d" % (operation, answer.status))
        self.count += 1
        with open(os.path.join(self.folder, "%05d.xml" % self.count), "wb") as file:
            file.write(text)
        response = tree.fromstring(text).find(".//IMETHODRESPONSE")
        error = response.find("ERROR")
        if error is not None:
            raise Refused("%s: %s %s" % (operation, error.get("CODE"), error.get("DESCRIPTION")))
        returned = response.find("IRETURNVALUE")
        others = {node.get("NAME"): node.findtext("VALUE") for node in response.findall("PARAMVALUE")}
        return (returned if returned is not None else []), others

    def paths(self, namespace, operation, **parameters):
        returned, _ = self.ask(namespace, operation, **parameters)
        return sorted((read_path(node if node.tag in ("INSTANCENAME", "OBJECTPATH") else node[0], namespace)
                       for node in returned), key=repr)

    def pulled(self, namespace, operation, pull, **parameters):
        returned, others = self.ask(namespace, operation, MaxObjectCount=2, **parameters)
        found = list(returned)
        while others["EndOfSequence"].upper() != "TRUE":
            returned, others = self.ask(namespace, pull, MaxObjectCount=3,
                                        EnumerationContext=others["EnumerationContext"])
            found += list(returned)
        return sorted((read_path(node if node.tag == "INSTANCEPATH" else node[0], namespace) for node in found),
                      key=repr)


def same(what, wanted, found):
    if sorted(wanted, key=repr) == sorted(found, key=repr):
        return
    lacking = [path for path in wanted if path not in found]
    beyond = [path for path in found if path not in wanted]
    sys.exit("%s: of %d there are %d\nlacking: %s\nbeyond: %s" % (
        what, len(wanted), len(found), lacking[:2], beyond[:2]))


class Model:
    """What the enumerations say, by which everything else is judged."""

    def __init__(self, server):
        self.server = server
        self.superclass = {}
        self.ends_of_class = {}        # association: (role, class) of its references
        self.instances = {}            # namespace: paths
        self.references = []           # (path of an association, role, path of an end)
        self.seen = set()              # every path that was answered
        self.refused = set()           # filters that let nothing through: (class, association, role)
        for namespace in NAMESPACES:
            self.read_classes(namespace)
            self.read_instances(namespace)

    def read_classes(self, namespace):
        returned, _ = self.server.ask(namespace, "EnumerateClasses", DeepInheritance="true", LocalOnly="true",
                                      IncludeQualifiers="false")
        for node in returned:
            self.superclass[node.get("NAME")] = node.get("SUPERCLASS")
        returned, _ = self.server.ask(namespace, "EnumerateClasses", DeepInheritance="true", LocalOnly="false",
                                      IncludeQualifiers="false")
        for node in returned:
            self.ends_of_class[node.get("NAME")] = [(end.get("NAME"), end.get("REFERENCECLASS"))
                                                    for end in node.findall("PROPERTY.REFERENCE")]

    def is_a(self, name, ancestor):
        while name and name != ancestor:
            name = self.superclass[name]
        return name == ancestor

    def read_instances(self, namespace):
        server, found = self.server, []
        tops, _ = server.ask(namespace, "EnumerateClassNames")
        for top in [node.get("NAME") for node in tops]:
            returned, _ = server.ask(namespace, "EnumerateInstances", ClassName=top)
            paths = []
            for node in returned:
                path = read_path(node[0], namespace)
                paths.append(path)
                for reference in node[1].findall("PROPERTY.REFERENCE/VALUE.REFERENCE/.."):
                    end = read_path(reference.find("VALUE.REFERENCE")[0], namespace)
                    self.references.append((path, reference.get("NAME"), end))
                    self.seen.add(end)
            same("names of " + top, paths, server.paths(namespace, "EnumerateInstanceNames", ClassName=top))
            if paths:
                same("pulled " + top, paths, server.pulled(
                    namespace, "OpenEnumerateInstances", "PullInstancesWithPath", ClassName=top))
                same("pulled paths of " + top, paths, server.pulled(
                    namespace, "OpenEnumerateInstancePaths", "PullInstancePaths", ClassName=top))
            found += paths
        if len(set(found)) != len(found):
            sys.exit("%s: a path is there twice: %s" % (namespace, [p for p in found if found.count(p) > 1][:2]))
        self.instances[namespace] = found
        self.seen.update(found)

    def ends(self, source, association=None, result=None, role=None, result_role=None):
        """(association, role of source, role of the end, the end) of each."""
        for path, name, end in self.around.get(source, ()):
            for other_name, other in self.of[path]:
                if (other_name == name or (association and not self.is_a(path.class_name, association)) or
                        (result and not self.is_a(other.class_name, result)) or
                        (role and role != name) or (result_role and result_role != other_name)):
                    continue
                yield path, name, other_name, other

    def index(self):
        self.around, self.of = collections.defaultdict(list), collections.defaultdict(list)
        for path, role, end in self.references:
            self.around[end].append((path, role, end))
            self.of[path].append((role, end))

    def exists(self, path):
        return path in self.instances.get(path.namespace, ())

    def check(self, source):
        server, namespace = self.server, source.namespace
        ends = [found for found in self.ends(source) if self.exists(found[3])]
        self.check_associators(source, {})
        self.check_references(source, {})
        for path, role, result_role, end in {(p.class_name, r, o, e.class_name) for p, r, o, e in ends}:
            above = self.superclass[path] or path
            self.check_associators(source, {"AssocClass": path, "Role": role})
            self.check_associators(source, {"AssocClass": above, "ResultRole": result_role,
                                            "ResultClass": self.superclass[end] or end})
            self.check_references(source, {"ResultClass": above, "Role": role})
            if (source.class_name, path, role) in self.refused:
                continue
            # What it is not: once is enough.
            self.refused.add((source.class_name, path, role))
            self.check_associators(source, {"AssocClass": path, "Role": result_role})
            self.check_associators(source, {"AssocClass": path, "ResultClass": path})
            self.check_references(source, {"ResultClass": path, "Role": result_role})

    def check_associators(self, source, filters):
        names = {"AssocClass": "association", "ResultClass": "result", "Role": "role", "ResultRole": "result_role"}
        wanted = [found[3] for found in self.ends(source, **{names[name]: filters[name] for name in filters})
                  if self.exists(found[3])]
        self.check_both("Associator", source, wanted, filters)

    def check_references(self, source, filters):
        wanted = [path for path, role, _ in self.around.get(source, ())
                  if self.is_a(path.class_name, filters.get("ResultClass", path.class_name)) and
                  filters.get("Role", role) == role]
        self.check_both("Reference", source, sorted(set(wanted), key=repr), filters)

    def check_both(self, kind, source, wanted, filters):
        server, namespace = self.server, source.namespace
        what = "%s of %s with %s" % (kind, source, filters)
        same(what, wanted, server.paths(namespace, kind + "s", ObjectName=source, **filters))
        same(what + ", names", wanted, server.paths(namespace, kind + "Names", ObjectName=source, **filters))
        if not filters:
            same(what + ", pulled", wanted, server.pulled(
                namespace, "Open%sInstances" % kind, "PullInstancesWithPath", InstanceName=source))
            same(what + ", paths pulled", wanted, server.pulled(
                namespace, "Open%sInstancePaths" % kind, "PullInstancePaths", InstanceName=source))

    def check_class(self, namespace, source):
        """What the schema says is what the operations say of a class."""
        server, references, associated = self.server, set(), set()
        for name, ends in self.ends_of_class.items():
            for role, of in ends if name.startswith("CIM_") else ():
                if self.is_a(source, of):
                    references.add(name)
                    associated.update(other for other_role, other in ends if other_role != role)
        for operation, wanted in (("ReferenceNames", references), ("AssociatorNames", associated)):
            returned, _ = server.ask(namespace, operation, ObjectName=source)
            same("%s of class %s" % (operation, source), wanted,
                 [node.find("CLASSPATH/CLASSNAME").get("NAME") for node in returned])
        returned, _ = server.ask(namespace, "Associators", ObjectName=source)
        same("Associators of class " + source, associated, [node.find("CLASS").get("NAME") for node in returned])
        returned, _ = server.ask(namespace, "References", ObjectName=source, Role="Dependent")
        same("References of class " + source,
             [name for name in references if any(role == "Dependent" and self.is_a(source, of)
                                                 for role, of in self.ends_of_class[name])],
             [node.find("CLASS").get("NAME") for node in returned])

    def get_all(self):
        for path in sorted(self.seen, key=repr):
            try:
                returned, _ = self.server.ask(path.namespace, "GetInstance", InstanceName=path)
            except Refused as refused:
                sys.exit("%s\nof %s" % (refused, path))
            if returned[0].get("CLASSNAME") != path.class_name:
                sys.exit("GetInstance of %s is a %s" % (path, returned[0].get("CLASSNAME")))


def main():
    server = Server(sys.argv[1], sys.argv[2])
    model = Model(server)
    model.index()
    model.get_all()
    for namespace in NAMESPACES:
        for source in model.instances[namespace]:
            model.check(source)
    for name in ("CIM_RegisteredProfile", "CIM_StoragePool", "CIM_StorageVolume", "CIM_ManagedElement"):
        model.check_class("root/cimv2", name)
    for namespace in NAMESPACES:
        paths = model.instances[namespace]
        print(namespace, len(paths), sum(1 for path in paths if model.of.get(path)))


main()

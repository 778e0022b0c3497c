"""Prints the statements of the spelling log: values of every type and, beside each, the server's own text of it.

generate.py mysql | mariadb      (see README.md)
"""

import json
import math
import random
import struct
import sys

maria = sys.argv[1] == 'mariadb'
random.seed(20261124)
out = []
def lit(s): return "'" + s.replace('\\','\\\\').replace("'", "''") + "'"
n = 0
def table(kind, typ, values, expr):
    """A table oNNN_KIND of the values and NULL, with the server's text (`expr`) beside each."""
    global n
    n += 1
    name = f"o{n:03}_{kind}"
    out.append(f"CREATE TABLE {name} (id INT AUTO_INCREMENT PRIMARY KEY, v {typ}, t LONGTEXT CHARACTER SET utf8mb4);")
    vals = list(values) + ['NULL']
    for i in range(0, len(vals), 200):
        out.append(f"INSERT INTO {name} (v) VALUES " + ",".join(f"({v})" for v in vals[i:i+200]) + ";")
    out.append(f"UPDATE {name} SET t = {expr};")
C = "CAST(v AS CHAR CHARACTER SET utf8mb4)"
out.append("SET NAMES utf8mb4; SET time_zone='+00:00'; SET sql_mode='ALLOW_INVALID_DATES';")
out.append("CREATE DATABASE oracle CHARACTER SET utf8mb4; USE oracle;")
for typ, bits in [("TINYINT",8),("SMALLINT",16),("MEDIUMINT",24),("INT",32),("BIGINT",64)]:
    table("int", typ, [0,1,-1,2**(bits-1)-1,-2**(bits-1), 100, -100], C)
    table("int", typ+" UNSIGNED", [0,1,2**bits-1, 2**(bits-1), 100], C)
table("year", "YEAR", ["0","1901","2155","1970","2026"], C if not maria else "LPAD(v+0,4,'0')")
table("float", "FLOAT", ["0","-0e0","1.5","-1.1","3.40282e38","1e-38","1e-45","16777216","0.1","123456.789"], "CAST(v+0e0 AS CHAR)")
table("double", "DOUBLE", ["0","1.5","-1.1","1.7976931348623157e308","5e-324","1e15","1e-15","0.1","123456789.123456789"]+[repr(random.uniform(-1,1)*10**random.randint(-300,300)) for _ in range(40)], C)
for p,s in [(1,0),(1,1),(9,0),(9,9),(10,2),(18,9),(19,10),(30,30) if not maria else (38,38),(65,0),(65,30),(20,1),(5,3)]:
    vals=[]
    for _ in range(12):
        d=random.randint(1,p); x=random.randint(0,10**d-1)
        sign=random.choice(['','-'])
        t=str(x).rjust(s+1,'0'); 
        vals.append(sign+(t[:-s]+'.'+t[-s:] if s else t))
    mx='9'*(p-s)+('.'+'9'*s if s else '')
    if mx.startswith('.'): mx='0'+mx
    table("decimal", f"DECIMAL({p},{s})", vals+['0',mx,'-'+mx], C)
dates=["'0000-00-00'","'1000-01-01'","'9999-12-31'","'2024-02-29'","'1970-01-01'","'1582-10-10'","'2023-00-00'","'2023-05-00'","'0001-01-01'","'1969-12-31'"]
table("date","DATE",dates,C)
times=["'00:00:00'","'838:59:59'","'-838:59:59'","'12:34:56.123456'","'-00:00:00.000001'","'-00:00:01.5'","'-12:34:56.999999'","'100:00:00.1'","'-00:00:00.9'","'23:59:59.999999'","'-01:00:00'"]
dts=["'0000-00-00 00:00:00'","'1000-01-01 00:00:00'","'9999-12-31 23:59:59'","'2024-02-29 12:34:56.123456'","'1969-12-31 23:59:59.9'","'1500-02-28 01:02:03.000001'","'0001-01-01 00:00:00'","'2023-00-00 11:00:00'"]
tss=["'0000-00-00 00:00:00'","'1970-01-01 00:00:01'","'2038-01-19 03:14:07'","'2024-02-29 12:34:56.123456'","'2000-01-01 00:00:00.000001'"]
for d in range(7):
    table("time",f"TIME({d})",times,C)
    table("datetime",f"DATETIME({d})",dts,C)
    table("timestamp",f"TIMESTAMP({d}) NULL",tss,C)
for b in [1,7,8,9,16,33,63,64]:
    table("bit",f"BIT({b})",[0,1,2**b-1]+[random.getrandbits(b) for _ in range(4)],"CAST(v+0 AS CHAR)")
table("enum","ENUM('a','b','c,d','')",["'a'","'c,d'","'b'"],"CAST(v+0 AS CHAR)")
table("enum","ENUM("+",".join(f"'l{i}'" for i in range(300))+")",["'l0'","'l299'","'l255'","'l254'"],"CAST(v+0 AS CHAR)")
for k in [3,9,17,30,64]:
    table("set","SET("+",".join(f"'l{i}'" for i in range(k))+")",["''","'l0'",f"'l{k-1}'",lit(",".join(f"l{i}" for i in range(k)))],"CAST(v+0 AS CHAR)")
def strs(n): return ["''","'a'",lit("ünïcödé"[:n]),lit(("日本😀x"*400)[:n]),lit("y"*n)]
table("bytes","CHAR(10)",strs(10),"HEX(v)")
table("bytes","CHAR(255)",strs(255),"HEX(v)")
table("bytes","VARCHAR(63)",strs(63),"HEX(v)")
table("bytes","VARCHAR(64)",strs(64),"HEX(v)")
table("bytes","VARCHAR(5000)",strs(5000)[:4]+["REPEAT('z',5000)"],"HEX(v)")
table("bytes","CHAR(20) CHARACTER SET latin1",["''","'é'","'abc'"],"HEX(v)")
table("bytes","VARCHAR(20) CHARACTER SET utf16",["''","'é'","'abc'"],"HEX(v)")
table("binary","BINARY(8)",["x''","x'00'","x'0100000000000000'","x'ff00ff00ff00ff00'","'a '"],"HEX(v)")
table("bytes","VARBINARY(8)",["x''","x'00'","x'0100000000000000'","'a '"],"HEX(v)")
for t,k in [("TINY",200),("",60000),("MEDIUM",70000),("LONG",70000)]:
    table("bytes",f"{t}BLOB",["x''","x'00ff'",f"REPEAT('q',{k})"],"HEX(v)")
    table("bytes",f"{t}TEXT",["''",f"REPEAT('q',{k})"],"HEX(v)")
table("bytes","GEOMETRY",["ST_GeomFromText('POINT(1 2)',4326)","ST_GeomFromText('POLYGON((0 0,0 1,1 1,0 0))')","ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')"],"HEX(v)")
if not maria:
    table("bytes","VECTOR(3)",["STRING_TO_VECTOR('[1,2,3]')"],"HEX(v)")
    docs=['null','true','false','0','-1','32767','-32768','32768','65535','65536','2147483647','-2147483648','2147483648','4294967295','4294967296','9223372036854775807','-9223372036854775808','18446744073709551615','18446744073709551616','1.0','-0.0','1e0','1e10','1e14','1e15','1e16','123456789012345.6','1234567890123456.7','1e100','1e-4','1e-14','1e-15','1e-16','1.5e-15','1.5e-16','1.7976931348623157e308','5e-324','0.1','""','"a\\"b\\\\c\\/d"','"\\u0000\\u0001\\b\\f\\n\\r\\t\\u001f\\u007f"','"ünï 😀 \\ud83d\\ude00"','{}','[]','[[],{}]','{"b":1,"a":2,"aa":3,"":4}','{"k":{"k":{"k":[1,[2,[3,null]]]}}}','[true,false,null,1,70000,5000000000,1.25,"s"]','{"t":true,"n":null,"i":-3,"u":40000,"l":100000,"x":-100000,"d":2.5e-7,"s":"\\u2028"}']
    jv=[lit(d) for d in docs]
    deep='1'
    for i in range(99): deep = '['+deep+']' if i%2 else '{"d":'+deep+'}'
    jv.append(lit(deep))
    jv.append(lit(json.dumps({f"key{i}":[i,str(i)*3,i*1.5] for i in range(2000)})))
    jv.append(lit(json.dumps([i*100000 for i in range(20000)])))
    jv.append(lit(json.dumps({"big":"x"*70000,"i":70000,"j":5,"k":2**33,"u":3000000000})))
    jv.append(lit(json.dumps(["s"*126,"s"*127,"s"*128,"s"*16383,"s"*16384])))
    for _ in range(150):
        kind=random.random()
        if kind<.5: x=struct.unpack('<d',struct.pack('<Q',random.getrandbits(64)))[0]
        elif kind<.8: x=random.uniform(-1,1)*10**random.randint(-20,20)
        else: x=float(random.randint(0,10**17))
        if x==x and abs(x)!=math.inf: jv.append(lit(json.dumps(x)))
    for m in ["1234567890123456.8","-9007199254740991.5","4503599627370497.5","2251799813685249.25","1125899906842624.1","9876543210123456","98765432101234567"]: jv.append(lit(m))
    for k in (56,57,58,113,114,115,171): jv.append(f"JSON_ARRAY(CAST(REPEAT('x',{k}) AS BINARY))")
    for e in ["1.5","-0.000000000000000000001","12345678901234567890123456789012345.123456789012345678901234567890","0.0","10.50","-1.10"]: jv.append(f"JSON_ARRAY(CAST('{e}' AS DECIMAL(65,30)), CAST('{e}' AS DECIMAL(40,2)))")
    for t in times: jv.append(f"CAST(CAST({t} AS TIME(6)) AS JSON)")
    for t in dts[1:7]: jv.append(f"JSON_OBJECT('d',CAST({t} AS DATETIME(6)),'e',CAST({t} AS DATE))")
    jv += ["CAST(TIMESTAMP'2024-01-02 03:04:05.678' AS JSON)","JSON_ARRAY(DATE'2024-01-02')"]
    jv += ["JSON_ARRAY(x'00ff10')","JSON_ARRAY(b'101')","JSON_ARRAY(CAST('abcde' AS BINARY))","JSON_ARRAY(CAST(REPEAT('x',100) AS BINARY))","JSON_ARRAY(CAST('' AS BINARY))","JSON_ARRAY(ST_GeomFromText('POINT(1 2)'))","JSON_ARRAY(CAST(2020 AS YEAR))", "JSON_OBJECT('v',CAST('a' AS CHAR CHARACTER SET latin1))"]
    table("json","JSON",jv,C)
    out.append("CREATE TABLE cols (b BIT(5), y YEAR, e ENUM('x','y'), s SET('p','q'), bl BLOB, vb VARBINARY(9), ts TIMESTAMP(3) NULL, f FLOAT, g POINT, dc DECIMAL(5,2));")
    out.append("INSERT INTO cols VALUES (5,2021,'y','p,q','blobby','vbvb','2020-01-01 01:02:03.5',0.1,ST_GeomFromText('POINT(1 2)'),1.50);")
    out.append("CREATE TABLE o900_json (id INT AUTO_INCREMENT PRIMARY KEY, v JSON, t LONGTEXT CHARACTER SET utf8mb4);")
    for c in "b y e s bl vb ts f g dc".split(): out.append(f"INSERT INTO o900_json (v) SELECT JSON_OBJECT('c',{c}) FROM cols;")
    out.append(f"UPDATE o900_json SET t={C};")
else:
    table("uuid","UUID",["'123e4567-e89b-12d3-a456-426655440000'","'00000000-0000-0000-0000-000000000000'","'ffffffff-ffff-4fff-bfff-ffffffff0000'"],C)
    table("inet6","INET6",["'::'","'2001:db8::1'","'2001:db8::'"],"HEX(CAST(v AS BINARY(16)))")
    table("inet4","INET4",["'0.0.0.0'","'10.0.0.0'","'192.168.1.1'"],"HEX(CAST(v AS BINARY(4)))")
    table("compressed","TEXT COMPRESSED",["''","'short'","REPEAT('abc',1000)"],"HEX(v)")
    table("compressed","VARCHAR(1000) COMPRESSED",["''","'short'","REPEAT('abc',300)"],"HEX(v)")
    table("compressed","BLOB COMPRESSED",["''","x'00ff'","REPEAT(x'00ff',20000)"],"HEX(v)")
    table("bytes","JSON",["'{\"a\": 1}'","'[1,2]'"],"HEX(v)")
    out.append("SET GLOBAL mysql56_temporal_format=OFF;")
    table("time","TIME",[t for t in times if '.' not in t],C)
    table("datetime","DATETIME",[t for t in dts if '.' not in t],C)
    table("timestamp","TIMESTAMP NULL",[t for t in tss if '.' not in t],C)
    out.append("SET GLOBAL mysql56_temporal_format=ON;")
print("\n".join(out))

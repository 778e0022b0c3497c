-- What the tutorial's init.sql creates, and an account for each program with no more rights than it needs.
-- The passwords are those of a demonstration: change them here and in the environment of the parts.
CREATE DATABASE IF NOT EXISTS reservas CHARACTER SET utf8mb4;

CREATE TABLE IF NOT EXISTS reservas.usuarios_legado(
    id int NOT NULL PRIMARY KEY AUTO_INCREMENT COMMENT 'Llave primaria',
    nombres VARCHAR(255),
    apellidos VARCHAR(255),
    direccion VARCHAR(255),
    telefono VARCHAR(255),
    email VARCHAR(255),
    password VARCHAR(255)
) COMMENT 'Tabla legado de los usuarios';

CREATE USER IF NOT EXISTS 'aeroalpes'@'%' IDENTIFIED BY 'aeroalpes';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, REFERENCES ON reservas.* TO 'aeroalpes'@'%';

CREATE USER IF NOT EXISTS 'bitacora'@'%' IDENTIFIED BY 'bitacora';
GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES ON *.* TO 'bitacora'@'%';

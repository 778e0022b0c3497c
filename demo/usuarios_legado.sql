-- The table of the AeroAlpes tutorial and two rows.
CREATE TABLE usuarios_legado(
    id int NOT NULL PRIMARY KEY AUTO_INCREMENT COMMENT 'Llave primaria',
    nombres VARCHAR(255),
    apellidos VARCHAR(255),
    direccion VARCHAR(255),
    telefono VARCHAR(255),
    email VARCHAR(255),
    password VARCHAR(255)
) COMMENT 'Tabla legado de los usuarios';
INSERT INTO usuarios_legado(nombres, apellidos, direccion, telefono, email, password) VALUES
  ('Ana', 'Gómez Ñandú', 'Calle 1 # 2-3', '3001112233', 'ana@example.com', 'secreta'),
  ('Luis', 'Pérez', NULL, NULL, 'luis@example.com', 'secreta');

<?php
/* What Apache's rewrite rules do for a network in subfolders. */
$root = $_SERVER['DOCUMENT_ROOT'];
$path = preg_replace( '~^/[_0-9a-z-]+(/(?:wp-(?:content|admin|includes)(?:/|$)|[^/]+\.php))~', '$1', parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH ) );
if ( str_starts_with( $_SERVER['REQUEST_URI'], '/wp-' ) ) {
	$path = parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH );
}
if ( is_dir( $root . $path ) ) {
	$path = rtrim( $path, '/' ) . '/index.php';
}
$file = $root . $path;
if ( ! is_file( $file ) ) {
	$path = '/index.php';
	$file = $root . $path;
}
if ( ! str_ends_with( $file, '.php' ) ) {
	$types = array( 'css' => 'text/css', 'js' => 'text/javascript', 'svg' => 'image/svg+xml', 'png' => 'image/png', 'woff2' => 'font/woff2', 'woff' => 'font/woff', 'gif' => 'image/gif', 'jpg' => 'image/jpeg' );
	header( 'Content-Type: ' . ( $types[ pathinfo( $file, PATHINFO_EXTENSION ) ] ?? 'application/octet-stream' ) );
	readfile( $file );
	return;
}
$_SERVER['SCRIPT_FILENAME'] = $file;
$_SERVER['SCRIPT_NAME']     = $path;
$_SERVER['PHP_SELF']        = $path;
chdir( dirname( $file ) );
require $file;

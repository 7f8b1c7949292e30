<?php
/* Makes the network step by step: each begins with what the one before it wrote. */
$_SERVER['HTTP_HOST']   = getenv( 'WP_HOST' );
$_SERVER['REQUEST_URI'] = '/';
list( , $folder, $step ) = $argv;

if ( 'site' === $step ) {
	$database = new mysqli( 'localhost', 'root', '', '', 0, getenv( 'WP_SOCKET' ) );
	$database->query( 'CREATE DATABASE wordpress' );
	define( 'WP_INSTALLING', true );
}
require $folder . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';

$host     = getenv( 'WP_HOST' );
$password = getenv( 'WP_PASSWORD' );
if ( 'site' === $step ) {
	define( 'WP_SITEURL', "http://$host" );
	wp_install( 'The network', 'ada', 'ada@example.net', false, '', $password );
} elseif ( 'network' === $step ) {
	foreach ( $wpdb->tables( 'ms_global' ) as $table => $name ) {
		$wpdb->$table = $name;
	}
	install_network();
	populate_network( 1, $host, 'ada@example.net', 'The network', '/', false );
} else {
	$bob = wpmu_create_user( 'bob', $password, 'bob@example.net' );
	$blog = wpmu_create_blog( $host, '/garden/', 'Garden', $bob, array( 'public' => 1 ), 1 );
	// It takes the colon of the port for a mistake.
	$wpdb->update( $wpdb->blogs, array( 'domain' => $host ), array( 'blog_id' => $blog ) );
	clean_blog_cache( $blog );
	foreach ( array( 'siteurl', 'home' ) as $name ) {
		update_blog_option( $blog, $name, "http://$host/garden" );
	}
	update_user_meta( $bob, 'source_domain', $host );
	foreach ( array( 1, $blog ) as $one ) {
		update_blog_option( $one, 'show_avatars', 0 );
	}
	$chloe = wpmu_create_user( 'chloe', $password, 'chloe@example.net' );
	update_user_meta( $chloe, 'locale', 'fr_FR' );
	add_user_to_blog( $blog, $chloe, 'editor' );
	$problem = activate_plugin( 'envoi-notices/envoi-notices.php', '', true );
	if ( is_wp_error( $problem ) ) {
		fwrite( STDERR, $problem->get_error_message() );
		exit( 1 );
	}
}

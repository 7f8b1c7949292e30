<?php
/**
 * Leaves nothing behind.
 *
 * @package Envoi_Notices
 */

declare( strict_types=1 );

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

delete_site_option( 'envoi_notices' );

// Copies of answers go by themselves within a day; those in the database are taken now.
global $wpdb;
$envoi_notices_table  = is_multisite() ? $wpdb->sitemeta : $wpdb->options;
$envoi_notices_column = is_multisite() ? 'meta_key' : 'option_name';
foreach ( array( '_site_transient_envoi_notices_', '_site_transient_timeout_envoi_notices_' ) as $envoi_notices_prefix ) {
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery, WordPress.DB.PreparedSQL.InterpolatedNotPrepared
	$wpdb->query( $wpdb->prepare( "DELETE FROM {$envoi_notices_table} WHERE {$envoi_notices_column} LIKE %s", $wpdb->esc_like( $envoi_notices_prefix ) . '%' ) );
}

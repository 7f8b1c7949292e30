<?php
/**
 * Plugin Name:       Envoi Notices
 * Description:       Shows each customer's notices from Envoi on the dashboards of your network, where they can be dismissed.
 * Version:           0.1.0
 * Requires at least: 6.0
 * Requires PHP:      8.0
 * License:           Apache-2.0
 * License URI:       https://www.apache.org/licenses/LICENSE-2.0
 * Text Domain:       envoi-notices
 * Network:           true
 *
 * @package Envoi_Notices
 */

declare( strict_types=1 );

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/includes/class-envoi-notices-settings.php';
require_once __DIR__ . '/includes/class-envoi-notices-client.php';
require_once __DIR__ . '/includes/class-envoi-notices-dashboard.php';

add_action(
	'plugins_loaded',
	static function (): void {
		if ( ! is_admin() ) {
			return;
		}
		load_plugin_textdomain( 'envoi-notices', false, 'envoi-notices/languages' );
		$settings = new Envoi_Notices_Settings();
		$client   = new Envoi_Notices_Client( $settings );
		$settings->register( $client );
		( new Envoi_Notices_Dashboard( $settings, $client ) )->register();
	}
);

<?php
/**
 * Notices as WordPress shows its own, on every page of a site's dashboard.
 *
 * @package Envoi_Notices
 */

declare( strict_types=1 );

defined( 'ABSPATH' ) || exit;

/**
 * Content comes harmless from Envoi, and is cleaned here once more.
 */
final class Envoi_Notices_Dashboard {
	private const ACTION  = 'envoi_notices';
	private const DEEDS   = array( 'dismissal', 'acknowledgement', 'clicks' );
	private const LEVELS  = array( 'info', 'success', 'warning', 'error' );
	private const ALLOWED = array(
		'a'          => array(
			'href' => true,
			'rel'  => true,
		),
		'b'          => array(),
		'blockquote' => array(),
		'br'         => array(),
		'code'       => array(),
		'del'        => array(),
		'em'         => array(),
		'h2'         => array(),
		'h3'         => array(),
		'h4'         => array(),
		'hr'         => array(),
		'i'          => array(),
		'li'         => array(),
		'ol'         => array( 'start' => true ),
		'p'          => array(),
		'pre'        => array(),
		's'          => array(),
		'strong'     => array(),
		'sub'        => array(),
		'sup'        => array(),
		'u'          => array(),
		'ul'         => array(),
	);

	/**
	 * Start with what it needs.
	 *
	 * @param Envoi_Notices_Settings $settings Where Envoi is.
	 * @param Envoi_Notices_Client   $client   Asks it.
	 */
	public function __construct( private Envoi_Notices_Settings $settings, private Envoi_Notices_Client $client ) {}

	/**
	 * Take part in the dashboards.
	 */
	public function register(): void {
		if ( ! $this->settings->complete() ) {
			return;
		}
		add_action( 'admin_notices', array( $this, 'show' ) );
		add_action( 'user_admin_notices', array( $this, 'show' ) );
		add_action( 'admin_enqueue_scripts', array( $this, 'style' ) );
		add_action( 'wp_ajax_' . self::ACTION, array( $this, 'take' ) );
	}

	/**
	 * A long word breaks; everything else looks as WordPress has it.
	 */
	public function style(): void {
		wp_add_inline_style( 'common', '.envoi-notice { overflow-wrap: anywhere; }' );
	}

	/**
	 * Show what this user is to see.
	 */
	public function show(): void {
		$notices = $this->client->notices( wp_get_current_user() );
		foreach ( $notices as $notice ) {
			$this->show_one( $notice );
		}
		if ( $notices ) {
			$this->enqueue();
		}
	}

	/**
	 * Take what the user did: seen, dismissed, acknowledged, clicked.
	 */
	public function take(): void {
		check_ajax_referer( self::ACTION );
		$user = wp_get_current_user();
		$deed = isset( $_POST['deed'] ) ? sanitize_key( wp_unslash( $_POST['deed'] ) ) : '';
		$ids  = isset( $_POST['ids'] ) ? explode( ',', sanitize_text_field( wp_unslash( $_POST['ids'] ) ) ) : array();
		$ids  = array_values( array_filter( $ids, static fn( string $id ): bool => 1 === preg_match( '/^[0-9a-f]{16}$/D', $id ) ) );
		if ( ! $ids || ! in_array( $deed, array( 'seen', ...self::DEEDS ), true ) ) {
			wp_send_json_error( null, 400 );
		}
		$taken = 'seen' === $deed
			? $this->client->tell( $user, 'seen', array( 'ids' => $ids ) )
			: $this->client->tell( $user, $ids[0] . '/' . $deed );
		if ( ! $taken ) {
			wp_send_json_error( null, 502 );
		}
		wp_send_json_success();
	}

	/**
	 * Show one notice.
	 *
	 * @param array<string, mixed> $notice As Envoi tells it.
	 */
	private function show_one( array $notice ): void {
		$level = in_array( $notice['level'] ?? '', self::LEVELS, true ) ? $notice['level'] : 'info';
		$link  = is_array( $notice['link'] ?? null ) ? $notice['link'] : null;
		printf(
			'<div class="notice notice-%1$s envoi-notice%2$s" data-envoi="%3$s">',
			esc_attr( $level ),
			empty( $notice['dismissible'] ) ? '' : ' is-dismissible',
			esc_attr( (string) ( $notice['id'] ?? '' ) )
		);
		printf(
			'<p><strong dir="auto"><span class="screen-reader-text">%1$s: </span>%2$s</strong></p><div dir="auto">%3$s</div>',
			esc_html( $this->level_name( $level ) ),
			esc_html( (string) ( $notice['subject'] ?? '' ) ),
			wp_kses( (string) ( $notice['body'] ?? '' ), self::ALLOWED, array( 'http', 'https', 'mailto', 'tel' ) )
		);
		if ( $link || ! empty( $notice['must_acknowledge'] ) ) {
			echo '<p>';
			if ( $link ) {
				printf( '<a class="button button-primary" href="%1$s" rel="noopener noreferrer">%2$s</a> ', esc_url( (string) $link['url'], array( 'http', 'https' ) ), esc_html( (string) $link['label'] ) );
			}
			if ( ! empty( $notice['must_acknowledge'] ) ) {
				printf( '<button type="button" class="button" data-envoi-acknowledge>%s</button>', esc_html__( 'I have read this', 'envoi-notices' ) );
			}
			echo '</p>';
		}
		echo '</div>';
	}

	/**
	 * The level for those who do not see its colour.
	 *
	 * @param string $level One of LEVELS.
	 */
	private function level_name( string $level ): string {
		return match ( $level ) {
			'success' => __( 'Good news', 'envoi-notices' ),
			'warning' => __( 'Warning', 'envoi-notices' ),
			'error'   => __( 'Important', 'envoi-notices' ),
			default   => __( 'Information', 'envoi-notices' ),
		};
	}

	/**
	 * The script; it stands at the end of the page.
	 */
	private function enqueue(): void {
		$file = 'js/envoi-notices.js';
		$path = plugin_dir_path( __DIR__ ) . $file;
		wp_enqueue_script( 'envoi-notices', plugins_url( $file, __DIR__ ), array( 'common', 'wp-a11y' ), (string) filemtime( $path ), true );
		wp_localize_script(
			'envoi-notices',
			'envoiNotices',
			array(
				'url'    => admin_url( 'admin-ajax.php' ),
				'action' => self::ACTION,
				'nonce'  => wp_create_nonce( self::ACTION ),
				'failed' => __( 'This could not be saved. It will be shown again.', 'envoi-notices' ),
			)
		);
	}
}

/* Tells what was done with a notice. WordPress itself takes dismissed ones away. */
( function ( settings ) {
	'use strict';

	function tell( deed, ids ) {
		const body = new URLSearchParams( {
			action: settings.action,
			_ajax_nonce: settings.nonce,
			deed,
			ids: ids.join( ',' ),
		} );
		return fetch( settings.url, { method: 'POST', body, credentials: 'same-origin', keepalive: true } ).then(
			( answer ) => {
				if ( ! answer.ok ) {
					throw new Error( String( answer.status ) );
				}
			}
		);
	}

	function failed() {
		window.wp?.a11y?.speak( settings.failed, 'assertive' );
	}

	document.addEventListener( 'click', ( event ) => {
		const notice = event.target.closest?.( '.envoi-notice' );
		if ( ! notice ) {
			return;
		}
		const ids = [ notice.dataset.envoi ];
		if ( event.target.closest( '.notice-dismiss' ) ) {
			tell( 'dismissal', ids ).catch( failed );
		} else if ( event.target.closest( '[data-envoi-acknowledge]' ) ) {
			tell( 'acknowledgement', ids ).then( () => notice.remove(), failed );
		} else if ( event.target.closest( 'a[href]' ) ) {
			tell( 'clicks', ids ).catch( () => {} );
		}
	} );

	const seen = [ ...document.querySelectorAll( '.envoi-notice' ) ].map( ( notice ) => notice.dataset.envoi );
	if ( seen.length ) {
		tell( 'seen', seen ).catch( () => {} );
	}
} )( window.envoiNotices );
